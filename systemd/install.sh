#!/bin/sh
# Install Maskwatch on this board, or bring it up to date. See --help; common.sh tells what is
# where, and release.sh puts a version together.
#
# Everything is made beside what runs and checked there. Then one link is replaced, and the service
# is started anew. If it does not become healthy, the link goes back. Cut short anywhere, even by a
# power cut, the old version or the new one runs: maskwatch-confirm.service decides which.
set -eu

help() {
    cat <<'HELP'
usage: sudo ./systemd/install.sh [OPTIONS]

Install Maskwatch on this board, or bring it up to date: program, model, configuration and service
together. If the new version does not become healthy, the one before runs again.

  --wheels DIR       install the program from the wheels there, one of each package, without the
                     internet; else from the checkout that this script is in; else it stays
  --model FILE       a model of yours; else the one given last; else one that comes with the program,
                     by model.shipped of the configuration; --model shipped: that one again
  --config FILE      the configuration; else the one in force; else one with all defaults
  --with NAME        also network: let it reach network cameras and MQTT brokers
                          console: let it use an attached screen without a desktop
                          mqtt: let it keep messages for an MQTT broker; goes with network
                          statistics: let it keep counts of people in /var/lib/maskwatch
                          window: a service for desktop sessions, which shows a window
                          web: let it serve the live page
                     may be given again; what was chosen before stays chosen
  --without NAME     no longer
  --trust KEYS       from then on take only a program and models that one of these public keys
                     signed (maskwatch keys, maskwatch sign); goes to /etc/maskwatch/trusted-keys,
                     which only root can change
  --allow-older      take a signed program or model although its serial is lower than before
  --no-start         install, but do not start it now
  --timeout SECONDS  how long the new version may take to become healthy (default 300)
  --settle SECONDS   how long it must then stay so (default 10)

Exit codes: 0 done, or nothing to do; 1 nothing was changed; 2 wrong option; 3 went back to the
version before; 4 neither version is healthy.
HELP
}

usage() { say "error: $*; see --help"; exit 2; }
absolute() { readlink -f -- "$1" || fail "there is no $1"; }

HERE=$(dirname "$(readlink -f -- "$0")")
# shellcheck source=SCRIPTDIR/common.sh
. "$HERE/common.sh"
# shellcheck source=SCRIPTDIR/release.sh
. "$HERE/release.sh"
# shellcheck source=SCRIPTDIR/signatures.sh
. "$HERE/signatures.sh"

wheels='' model='' config='' with='' without='' trust='' older=no start=yes

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) help && exit 0 ;;
        --no-start) start=no && shift && continue ;;
        --allow-older) older=yes && shift && continue ;;
        --wheels | --model | --config | --with | --without | --trust | --timeout | --settle) ;;
        *) usage "there is no option $1" ;;
        esac
        [ $# -ge 2 ] || usage "$1 needs a value"
        case $1 in
        --wheels) wheels=$(absolute "$2") ;;
        --model) model=$(file_or_shipped "$2") ;;
        --config) config=$(absolute "$2") ;;
        --with) with="$with $(drop_in "$2")" ;;
        --without) without="$without $(drop_in "$2")" ;;
        --trust) trust=$(absolute "$2") ;;
        --timeout) TIMEOUT_SECONDS=$(whole "$2") ;;
        --settle) SETTLE_SECONDS=$(whole "$2") ;;
        esac
        shift 2
    done
}

file_or_shipped() {
    case $1 in
    shipped) echo shipped ;;
    *) absolute "$1" ;;
    esac
}

drop_in() {
    case $1 in
    network | console | mqtt | statistics | window | web) echo "$1" ;;
    *) usage "expected network, console, mqtt, statistics, window or web; received $1" ;;
    esac
}

whole() {
    case $1 in
    '' | *[!0-9]*) usage "expected seconds as a whole number; received $1" ;;
    *) echo "$1" ;;
    esac
}

# --- what the board must have --------------------------------------------------------------------

check_board() {
    [ -n "$ROOT" ] || [ "$start" = no ] || [ -d /run/systemd/system ] ||
        fail "systemd does not run here; give --no-start to install all the same"
    if [ -e "$UNITS/$SERVICE" ] && ! grep -q /opt/maskwatch/current/ "$UNITS/$SERVICE"; then
        fail "$UNITS/$SERVICE is not of this script; remove it first:" \
            "sudo systemctl disable --now maskwatch && sudo rm $UNITS/$SERVICE"
    fi
    PYTHON=$(find_python) || exit 1
    [ "$("$PYTHON" -c 'import struct; print(struct.calcsize("P"))')" = 8 ] ||
        fail "the interpreter needs a 64-bit system; install the 64-bit Raspberry Pi OS"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python lacks venv; mend it with: sudo apt install python3-venv"
}

find_python() {
    for python in python3 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null && command -v "$python" && return
    done
    fail "Python 3.11 to 3.13 is needed; this board has $(python3 -V 2>&1 || echo none);" \
        "Debian 12 and 13 and the Raspberry Pi OS made of them have it"
}

# --- lamps: who may use the GPIO lines -----------------------------------------------------------

allow_gpio() {
    if ! getent group gpio >/dev/null; then # the unit names it; Raspberry Pi OS has it
        groupadd --system gpio
        touch "$TOP/made-group"
    fi
    owner=$(stat -L -c %G "$ROOT"/dev/gpiochip* 2>/dev/null | sort -u | head -n 1)
    case $owner in
    gpio | '') ;;
    root)
        say "letting the group gpio use the GPIO lines: $UDEV_RULE"
        echo 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"' >"$TOP/rule.new"
        put_file "$TOP/rule.new" "$UDEV_RULE"
        udevadm control --reload && udevadm trigger --subsystem-match=gpio
        ;;
    *) # another system's own way, such as Ubuntu's group dialout
        printf '[Service]\nSupplementaryGroups=%s\n' "$owner" >"$TOP/gpio.new"
        put_file "$TOP/gpio.new" "$UNITS/$SERVICE.d/gpio.conf"
        ;;
    esac
}

# --- the whole -----------------------------------------------------------------------------------

is_switched_off() { # by its owner, who may use the service of the desktop instead
    [ -L "$CURRENT" ] && [ ! -L "$UNCONFIRMED" ] &&
        [ "$(systemctl is-enabled "$SERVICE" 2>/dev/null)" = disabled ]
}

before_switch() { # the last version that was known to be healthy
    before=$(target_of "$UNCONFIRMED")
    [ -n "$before" ] || before=$(target_of "$CURRENT")
    echo "${before:-none}"
}

install_quietly() {
    [ -z "$release" ] || point "$CURRENT" "$release"
    install_units
    link_config
    systemctl daemon-reload
    [ "$1" = off ] || systemctl enable --quiet "$SERVICE" "$CONFIRM"
    sync -f "$TOP" "$UNITS"
    tidy
}

switch_and_wait() {
    begin_switch "$(before_switch)"
    # Waits for our lock, and takes over if we are killed.
    systemctl start --no-block "$CONFIRM" 2>/dev/null || :
    trap '' HUP INT TERM
    [ -z "$release" ] || point "$CURRENT" "$release"
    say "starting release $(target_of "$CURRENT")"
    if activate && systemctl start --no-block "$CONFIRM" && wait_healthy; then
        end_switch
        tidy
        say "release $(target_of "$CURRENT") is healthy: $status"
        return
    fi
    say "release $(target_of "$CURRENT") is not healthy: ${trouble:-it could not be put in place}"
    show_journal
    code=0
    go_back || code=$?
    tidy
    exit $code
}

restart_same() { # the release is the same, but is not known to be healthy
    systemctl restart --no-block "$SERVICE"
    wait_healthy || {
        show_journal
        fail "nothing had to be changed, but the service is not healthy: $trouble"
    }
    say "started again: $status"
}

is_healthy() { read_state && [ "$active" = active ]; }

adopt_config() { # an editor may have put a file in the place of our link
    if [ -L "$CURRENT" ] && [ -f "$CONFIG" ] && ! [ -L "$CONFIG" ]; then
        put_file "$CONFIG" "$CURRENT/config.toml"
        link_config
    fi
}

clean_up() { # whatever the end: an unfinished release is of no use
    [ -f "$TOP/releases/${release:-none}/release.json" ] || tidy_releases
}

main() {
    parse "$@"
    need_root
    cd /
    umask 022
    check_board
    take_lock "${MASKWATCH_LOCK_SECONDS:-20}"
    release=''
    trap clean_up EXIT
    if [ -L "$UNCONFIRMED" ] && [ ! -L "$ROLLBACK" ]; then
        go_back || :
    fi
    tidy_releases
    adopt_config
    choose_drop_ins
    choose_model
    choose_config
    check_signatures
    choose_serials
    make_program
    if ! same_as_current; then
        make_release
    elif [ ! -L "$UNCONFIRMED" ]; then
        { is_healthy || is_switched_off; } || restart_same
        say "nothing to do: release $(target_of "$CURRENT") is the same"
        return
    fi
    allow_gpio
    if is_switched_off; then
        install_quietly off
        say "release $release is installed; the service is switched off, and stays so"
    elif [ "$start" = no ]; then
        install_quietly on
        say "release $release is installed; it starts at the next boot"
    else
        switch_and_wait
    fi
    adopt_keys
}

main "$@"
