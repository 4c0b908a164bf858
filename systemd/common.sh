# What install.sh, confirm.sh and uninstall.sh share. Read install.sh first.
# shellcheck shell=sh
#
#   /opt/maskwatch/
#     releases/0007/       one version: all that changes together
#       venv               link into venvs/; several releases may share one
#       config.toml
#       model.tflite       the model, if one was given, else one that comes with the program is run;
#                          model.tflite.sig beside it, if it was signed
#       environment        tells the service so
#       with               names of the drop-ins that it uses, a line each
#       installer/         this folder, units included
#       release.json       what it is made of; written last: without it the release is unfinished
#     venvs/<key>/         virtual environments; `complete` in it is written last
#     current              link to the release that runs: replacing it is the switch
#     unconfirmed          link to the release before, there until the new one is healthy
#     rollback             the same link once more, made beforehand: going back is one rename and
#                          works on a full disk, too

ROOT=${MASKWATCH_ROOT:-} # a folder in the place of /, for the tests
POLL_SECONDS=${MASKWATCH_POLL_SECONDS:-1}
TIMEOUT_SECONDS=${MASKWATCH_TIMEOUT_SECONDS:-300} # to become healthy
SETTLE_SECONDS=${MASKWATCH_SETTLE_SECONDS:-10} # to stay so
TOP=$ROOT/opt/maskwatch
CURRENT=$TOP/current
UNCONFIRMED=$TOP/unconfirmed
ROLLBACK=$TOP/rollback
UNITS=$ROOT/etc/systemd/system
USER_UNITS=$ROOT/etc/systemd/user
CONFIG=$ROOT/etc/maskwatch/config.toml
KEYS=$ROOT/etc/maskwatch/trusted-keys
UDEV_RULE=$ROOT/etc/udev/rules.d/60-maskwatch-gpio.rules
DROP_INS="console mqtt network statistics web"
SERVICE=maskwatch.service
CONFIRM=maskwatch-confirm.service

# Whoever reads our words may go away, as a dropped connection does; the work goes on, and the
# journal has them, too.
trap '' PIPE
say() {
    printf 'maskwatch: %s\n' "$*" >&2 || :
    [ -n "$ROOT${JOURNAL_STREAM:-}" ] || logger -t maskwatch-install -- "$*" 2>/dev/null || :
}
fail() { say "error: $*"; exit 1; }

need_root() {
    [ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || fail "this needs root; run it with sudo"
}

# The lock is the kernel's: it goes with the process that holds it, however that ends.
# The argument is how many seconds to wait for it; without one, for ever.
take_lock() {
    mkdir -p "$TOP"
    exec 9>"$TOP/lock"
    flock ${1:+-w "$1"} 9 || fail "another installation is going on; wait for its end"
}

seconds_up() { # not the clock of the day: a board without a battery sets that after booting
    read -r up _ </proc/uptime
    echo "${up%%.*}"
}

target_of() { # last name of what a link leads to; nothing if there is no link
    [ ! -L "$1" ] || basename "$(readlink "$1")"
}

point() { # point LINK RELEASE: set a link, whole or not at all
    ln -sfn "releases/$2" "$1.new" && mv -T "$1.new" "$1" && sync "$TOP"
}

put_file() { # put_file FROM TO: copy a file, whole or not at all; leave it if it is the same
    cmp -s "$1" "$2" && return
    mkdir -p "$(dirname "$2")"
    cp "$1" "$2.new" && chmod 644 "$2.new" && sync "$2.new" && mv "$2.new" "$2"
}

is_selected() { # is_selected NAME: whether the current release uses a drop-in
    grep -qx "$1" "$CURRENT/with"
}

# --- units ---------------------------------------------------------------------------------------
# Copies, not links into the release: `systemctl enable` follows a link to its end, and would tie
# the unit to one release. An interrupted switch puts them right when it is confirmed.

install_units() {
    from=$CURRENT/installer
    put_file "$from/$SERVICE" "$UNITS/$SERVICE" || return
    put_file "$from/$CONFIRM" "$UNITS/$CONFIRM" || return
    for name in $DROP_INS; do
        if is_selected "$name"; then
            put_file "$from/$SERVICE.d/$name.conf" "$UNITS/$SERVICE.d/$name.conf" || return
        else
            rm -f "$UNITS/$SERVICE.d/$name.conf"
        fi
    done
    if is_selected window; then
        put_file "$from/user/$SERVICE" "$USER_UNITS/$SERVICE"
    else
        rm -f "$USER_UNITS/$SERVICE"
    fi
}

link_config() { # the owner's name for the configuration
    [ "$(readlink "$CONFIG")" != "$CURRENT/config.toml" ] || return 0
    mkdir -p "$(dirname "$CONFIG")"
    if [ -f "$CONFIG" ] && ! [ -L "$CONFIG" ]; then
        cmp -s "$CONFIG" "$CURRENT/config.toml" || cp "$CONFIG" "$CONFIG.before" || return
    fi
    ln -sfn "$CURRENT/config.toml" "$CONFIG.new" && mv -T "$CONFIG.new" "$CONFIG"
}

activate() { # make systemd run the current release
    trouble=''
    install_units && link_config || return
    systemctl daemon-reload && systemctl enable --quiet "$SERVICE" "$CONFIRM" || return
    systemctl reset-failed "$SERVICE" 2>/dev/null || :
    systemctl restart --no-block "$SERVICE"
}

# --- health --------------------------------------------------------------------------------------

read_state() {
    active='' restarts=0 process=0 job='' status=''
    while IFS='=' read -r key value; do
        case $key in
        ActiveState) active=$value ;;
        NRestarts) restarts=$value ;;
        MainPID) process=$value ;;
        Job) job=$value ;;
        StatusText) status=$value ;;
        esac
    done <<STATE
$(systemctl show "$SERVICE" -p ActiveState -p NRestarts -p MainPID -p Job -p StatusText)
STATE
}

# Wait until the service is ready and stays so for SETTLE_SECONDS in one process; give up after
# TIMEOUT_SECONDS, or sooner if it fails again and again. `Type=notify`: active means READY=1.
wait_healthy() {
    begin=$(seconds_up) steady_process=0 steady_since=$begin
    while :; do
        read_state
        now=$(seconds_up)
        if [ "$active" = active ] && [ "$process" != 0 ] && [ -z "$job" ]; then
            [ "$process" = "$steady_process" ] || steady_since=$now
            steady_process=$process
            [ $((now - steady_since)) -lt "$SETTLE_SECONDS" ] || return 0
        else
            steady_process=0
        fi
        if [ "$restarts" -ge 2 ]; then
            trouble="it failed $restarts times" && return 1
        elif [ "$active" = failed ] || { [ "$active" = inactive ] && [ -z "$job" ]; }; then
            trouble="it ended" && return 1
        elif [ $((now - begin)) -ge "$TIMEOUT_SECONDS" ]; then
            trouble="it was not ready within $TIMEOUT_SECONDS s" && return 1
        fi
        sleep "$POLL_SECONDS"
    done
}

show_journal() {
    say "its last words (journalctl -u maskwatch shows all):"
    journalctl --unit "$SERVICE" --lines 15 --no-pager --output cat >&2 2>/dev/null || :
}

# --- the switch, and the way back ----------------------------------------------------------------

begin_switch() { # begin_switch BEFORE: from here on, whoever comes next can go back
    point "$ROLLBACK" "$1" && point "$UNCONFIRMED" "$1"
}

end_switch() { # the marker goes first: without it the other link means nothing
    sync -f "$TOP" "$UNITS" || :
    rm -f "$UNCONFIRMED" && rm -f "$ROLLBACK" && sync "$TOP"
}

take_down() { # let systemd forget all of it
    systemctl disable --quiet --now "$SERVICE" 2>/dev/null || :
    systemctl disable --quiet "$CONFIRM" 2>/dev/null || :
    rm -f "$UNITS/$SERVICE" "$UNITS/$CONFIRM" "$USER_UNITS/$SERVICE" "$UNITS/$SERVICE.d/gpio.conf"
    for name in $DROP_INS; do rm -f "$UNITS/$SERVICE.d/$name.conf"; done
    rmdir "$UNITS/$SERVICE.d" 2>/dev/null || :
    systemctl daemon-reload || :
}

# Return to the release before. May be cut short anywhere and begun again.
# Exit code 3: the version before runs, or nothing if there was none. 4: it is not healthy either.
go_back() {
    before=$(target_of "$UNCONFIRMED")
    failed=$(target_of "$CURRENT")
    if [ "$before" = none ]; then
        take_down
        rm -f "$CURRENT"
        forget "$failed"
        end_switch
        say "there was no version before, so nothing runs now"
        return 3
    fi
    say "going back to release $before"
    if [ -L "$ROLLBACK" ]; then
        mv -T "$ROLLBACK" "$CURRENT" && sync "$TOP" || return 4
        forget "$failed"
    fi
    code=3
    if activate && wait_healthy; then
        say "release $before runs again: $status"
    else
        say "error: release $before is not healthy either: ${trouble:-it could not be put in place}"
        code=4
    fi
    end_switch
    return $code
}

forget() { # a release that failed counts as unfinished, so that tidy removes it
    [ -z "$1" ] || rm -f "$TOP/releases/$1/release.json"
}

# Remove the releases that no link leads to, but for the newest finished one: one could go back.
tidy_releases() {
    kept="$(target_of "$CURRENT") $(target_of "$UNCONFIRMED")"
    spare=''
    for folder in "$TOP"/releases/*; do
        if is_unused "$folder" && [ -f "$folder/release.json" ]; then spare=${folder##*/}; fi
    done
    kept="$kept $spare"
    for folder in "$TOP"/releases/*; do
        is_unused "$folder" || continue
        rm -f "$folder/release.json"
        rm -rf "$folder"
    done
    [ -L "$UNCONFIRMED" ] || rm -f "$ROLLBACK"
    rm -rf "$TOP/tmp" "$TOP"/*.new
}

is_unused() { case " $kept " in *" ${1##*/} "*) return 1 ;; esac; }

tidy() { # with the environments that no release uses
    tidy_releases
    for folder in "$TOP"/venvs/*; do
        [ -z "$(find "$TOP/releases" -maxdepth 2 -lname "*/${folder##*/}" -print -quit)" ] || continue
        rm -f "$folder/complete"
        rm -rf "$folder"
    done
}
