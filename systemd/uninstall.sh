#!/bin/sh
# Remove everything that install.sh and `maskwatch deploy` made on this board, and nothing else.
# May be cut short and begun again.
set -eu
HERE=$(dirname "$(readlink -f -- "$0")")
# shellcheck source=SCRIPTDIR/common.sh
. "$HERE/common.sh"

keep=no
case ${1-} in
'') ;;
--keep-config) keep=yes ;;
-h | --help)
    echo "usage: sudo uninstall.sh [--keep-config]"
    echo "Remove Maskwatch from this board, with its counts of people; with --keep-config leave these"
    echo "and $CONFIG there."
    exit 0
    ;;
*) say "error: there is no option $1; see --help" && exit 2 ;;
esac

leave_config() { # as a file of its own, whole or not at all
    [ ! -f "$CONFIG" ] || cp "$CONFIG" "$CONFIG.new"
    [ ! -f "$CONFIG.new" ] || mv "$CONFIG.new" "$CONFIG"
}

remove_config() { # the owner's own files there stay
    [ ! -L "$CONFIG" ] || rm -f "$CONFIG"
    rm -f "$CONFIG.new"
    rmdir "${CONFIG%/*}" 2>/dev/null || :
}

remove_gpio() {
    if [ -f "$UDEV_RULE" ]; then
        rm -f "$UDEV_RULE"
        udevadm control --reload || :
    fi
    if [ -f "$TOP/made-group" ]; then
        groupdel gpio || say "the group gpio stays"
    fi
}

main() {
    need_root
    cd /
    [ -d "$TOP" ] || { say "nothing is installed" && return; }
    take_lock "${MASKWATCH_LOCK_SECONDS:-20}"
    uses_console=no
    [ ! -e "$UNITS/$SERVICE.d/console.conf" ] || uses_console=yes
    rm -f "$UNCONFIRMED" "$ROLLBACK"
    take_down
    [ $uses_console = no ] || systemctl start --no-block getty@tty1.service || :
    if [ $keep = yes ]; then leave_config; else remove_config; fi
    rm -f "$KEYS"
    remove_gpio
    rm -rf "$ROOT/var/cache/maskwatch"
    [ $keep = yes ] || rm -rf "$ROOT/var/lib/private/maskwatch" "$ROOT/var/lib/maskwatch"
    rm -f "$CURRENT"
    rm -rf "$TOP"
    say "removed"
}

main
