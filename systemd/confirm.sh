#!/bin/sh
# Finish a switch that install.sh could not: maskwatch-confirm.service runs this at boot, and
# beside install.sh, whose lock it awaits. Says nothing and changes nothing if all is confirmed.
set -eu
HERE=$(dirname "$(readlink -f -- "$0")")
# shellcheck source=SCRIPTDIR/common.sh
. "$HERE/common.sh"

need_root
cd /
take_lock ""
[ -L "$UNCONFIRMED" ] || exit 0
before=$(target_of "$UNCONFIRMED")
current=$(target_of "$CURRENT")
if [ ! -L "$ROLLBACK" ]; then
    go_back || code=$? # it had gone back already, and may not have told systemd
elif [ "${current:-none}" = "$before" ]; then
    say "the installation ended before its switch; release $before stays"
    end_switch
elif activate && wait_healthy; then
    say "release $current is healthy: $status"
    end_switch
else
    say "release $current is not healthy: ${trouble:-it could not be put in place}"
    show_journal
    go_back || code=$?
fi
tidy
exit "${code:-0}"
