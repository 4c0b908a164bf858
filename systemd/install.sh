#!/bin/sh
# Install Maskwatch on this board, or bring it up to date. See --help; common.sh tells what is where.
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
  --model FILE       the model; else the one given last; else the one that comes with the program
  --config FILE      the configuration; else the one in force; else one with all defaults
  --with NAME        also network: let it reach network cameras
                          console: let it use an attached screen without a desktop
                          window: a service for desktop sessions, which shows a window
                     may be given again; what was chosen before stays chosen
  --without NAME     no longer
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

wheels='' model='' config='' with='' without='' start=yes

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help) help && exit 0 ;;
        --no-start) start=no && shift && continue ;;
        --wheels | --model | --config | --with | --without | --timeout | --settle) ;;
        *) usage "there is no option $1" ;;
        esac
        [ $# -ge 2 ] || usage "$1 needs a value"
        case $1 in
        --wheels) wheels=$(absolute "$2") ;;
        --model) model=$(absolute "$2") ;;
        --config) config=$(absolute "$2") ;;
        --with) with="$with $(drop_in "$2")" ;;
        --without) without="$without $(drop_in "$2")" ;;
        --timeout) TIMEOUT_SECONDS=$(whole "$2") ;;
        --settle) SETTLE_SECONDS=$(whole "$2") ;;
        esac
        shift 2
    done
}

drop_in() {
    case $1 in
    network | console | window) echo "$1" ;;
    *) usage "expected network, console or window; received $1" ;;
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

need_space() { # need_space MIB
    mkdir -p "$TOP"
    free=$(df -Pk "$TOP" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$1" ] || fail "$1 MiB must be free in $TOP; there are $free"
}

# --- the parts of a release ----------------------------------------------------------------------

# Name the environment by what goes into it, so that the same is made only once.
program_key() {
    {
        "$PYTHON" -V
        constraint
        if [ -n "$wheels" ]; then
            cd "$wheels" && sha256sum -- *.whl
        else
            extra
            cd "$HERE/.." && find pyproject.toml README.md LICENSE edge convert train models \
                -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
        fi
    } | sha256sum | cut -c 1-16
}

constraint() { # apt's picamera2 brings libraries that were built for the apt's numpy
    "$PYTHON" -c 'import importlib.util as u, numpy
if u.find_spec("picamera2") and int(numpy.__version__.split(".")[0]) < 2: print("numpy<2")' \
        2>/dev/null || :
}

extra() { case " $chosen " in *" window "*) echo '[display]' ;; esac; }

make_program() { # sets venv
    if [ -z "$wheels" ] && [ ! -f "$HERE/../pyproject.toml" ]; then
        [ -L "$CURRENT" ] || fail "no program is installed yet; give --wheels DIR"
        venv=$(readlink -f "$CURRENT/venv")
        return
    fi
    key=$(program_key)
    venv=$TOP/venvs/$key
    [ ! -f "$venv/complete" ] || return 0
    need_space "${MASKWATCH_NEED_MIB:-350}"
    say "making the environment $venv"
    rm -rf "$venv" "$TOP/tmp"
    mkdir -p "$TOP/venvs" "$TOP/tmp"
    constraint >"$TOP/tmp/constraint"
    "$PYTHON" -m venv --system-site-packages "$venv"
    if [ -n "$wheels" ]; then
        pip_install --no-index --no-deps "$wheels"/*.whl
    else
        pip_install --constraint "$TOP/tmp/constraint" "$HERE/..$(extra)"
    fi
    sync -f "$venv"
    sha_of "$wheels"/maskwatch-*.whl >"$venv/complete.new"
    sync "$venv/complete.new"
    mv "$venv/complete.new" "$venv/complete"
}

pip_install() { # /tmp may be in memory, and small
    TMPDIR=$TOP/tmp "$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet \
        install --no-cache-dir "$@" || fail "the program cannot be installed; see above"
}

choose_model() {
    model_from=given
    [ -z "$model" ] || return 0
    if grep -qs '"model_from": "given"' "$CURRENT/release.json"; then
        model=$CURRENT/model.tflite
    else
        model_from=shipped
        model=$("$venv/bin/python" -c \
            'from maskwatch_edge.models import shipped_model; print(shipped_model())')
    fi
}

choose_config() { # what the owner changed in place is the configuration in force
    if [ -z "$config" ]; then
        config=$HERE/config.toml
        [ ! -f "$CONFIG" ] || config=$CONFIG
    fi
}

choose_drop_ins() {
    [ ! -f "$CURRENT/with" ] || with="$with $(tr '\n' ' ' <"$CURRENT/with")"
    chosen=''
    for name in console network window; do
        case " $with " in *" $name "*) ;; *) continue ;; esac
        case " $without " in *" $name "*) ;; *) chosen="$chosen $name" ;; esac
    done
}

same_as_current() {
    [ -L "$CURRENT" ] && [ "$venv" = "$(readlink -f "$CURRENT/venv")" ] &&
        cmp -s "$model" "$CURRENT/model.tflite" && cmp -s "$config" "$CURRENT/config.toml" &&
        [ "$chosen" = "$(sed 's/^/ /' "$CURRENT/with" | tr -d '\n')" ] &&
        diff -rq "$HERE" "$CURRENT/installer" >/dev/null
}

check() { # check MODEL CONFIG: load both once with the program that will use them
    timeout 600 "$venv/bin/python" -m maskwatch_edge.health --model "$1" --config "$2" \
        --environment "$ROOT/etc/maskwatch/environment" --with "$chosen" >&2 ||
        fail "the new version does not pass its check; see above"
}

make_release() { # sets release
    need_space 20
    last=$(find "$TOP/releases" -mindepth 1 -maxdepth 1 2>/dev/null | sort | tail -n 1)
    last=${last##*/}
    release=$(printf '%04d' $((1${last:-0000} - 10000 + 1)))
    folder=$TOP/releases/$release
    say "making release $release"
    mkdir -p "$folder"
    chmod 755 "$TOP" "$TOP/releases" "$folder"
    ln -s "../../venvs/${venv##*/}" "$folder/venv"
    cp "$model" "$folder/model.tflite"
    cp "$config" "$folder/config.toml"
    cp -R "$HERE" "$folder/installer"
    for name in $chosen; do echo "$name"; done >"$folder/with"
    chmod -R u=rwX,go=rX "$folder"
    chmod 755 "$folder"/installer/*install.sh
    check "$folder/model.tflite" "$folder/config.toml"
    sync -f "$folder"
    describe >"$folder/release.json.new"
    sync "$folder/release.json.new"
    mv "$folder/release.json.new" "$folder/release.json"
    sync "$folder" "$TOP/releases"
}

describe() {
    version=$("$venv/bin/python" -c \
        'from importlib.metadata import version; print(version("maskwatch"))')
    cat <<JSON
{
  "release": "$release",
  "version": "$version",
  "program": "${venv##*/}",
  "wheel_sha256": "$(cat "$venv/complete")",
  "model_sha256": "$(sha_of "$folder/model.tflite")",
  "model_from": "$model_from",
  "config_sha256": "$(sha_of "$folder/config.toml")",
  "with": "${chosen# }"
}
JSON
}

sha_of() { [ ! -f "$1" ] || sha256sum "$1" | cut -d ' ' -f 1; }

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
    [ -L "$CURRENT" ] && [ ! -L "$UNCONFIRMED" ] && [ "$(systemctl is-enabled "$SERVICE" 2>/dev/null)" = disabled ]
}

before_switch() { # the last version that was known to be healthy
    before=$(release_of "$UNCONFIRMED")
    [ -n "$before" ] || before=$(release_of "$CURRENT")
    echo "${before:-none}"
}

install_quietly() {
    [ -z "$release" ] || point "$CURRENT" "$release"
    install_units
    link_config
    systemctl daemon-reload
    [ "$1" = off ] || systemctl enable --quiet "$SERVICE" "$CONFIRM"
    tidy
}

switch_and_wait() {
    begin_switch "$(before_switch)"
    # Waits for our lock, and takes over if we are killed.
    systemctl start --no-block "$CONFIRM" 2>/dev/null || :
    trap '' HUP INT TERM
    [ -z "$release" ] || point "$CURRENT" "$release"
    say "starting release $(release_of "$CURRENT")"
    if activate && systemctl start --no-block "$CONFIRM" && wait_healthy; then
        end_switch
        tidy
        say "release $(release_of "$CURRENT") is healthy: $status"
        return
    fi
    say "release $(release_of "$CURRENT") is not healthy: ${trouble:-systemd refused it}"
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
    make_program
    choose_model
    choose_config
    if ! same_as_current; then
        make_release
    elif [ ! -L "$UNCONFIRMED" ]; then
        { is_healthy || is_switched_off; } || restart_same
        say "nothing to do: release $(release_of "$CURRENT") is the same"
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
}

main "$@"
