# What install.sh asks for on a board that has trusted keys: signatures of the program's wheel and of
# the model, and serials that do not fall. On other boards, nothing.
# shellcheck shell=sh
# shellcheck disable=SC2154 # wheels, model, trust, older: what install.sh was asked for

check_signatures() {
    [ -e "$KEYS" ] || return 0
    [ -z "$trust" ] || cmp -s "$trust" "$KEYS" ||
        fail "this board trusts other keys, which only its root may change: $KEYS"
    if [ -n "$wheels" ]; then
        verify "$wheels"/maskwatch-*.whl
    elif [ -f "$HERE/../pyproject.toml" ]; then
        fail "this board takes only what is signed ($KEYS), and a checkout is not; give --wheels DIR"
    fi
    [ -z "$model" ] || verify "$model"
}

verify() { # verify FILE...: by the program that is installed, never by the new one
    [ -L "$CURRENT" ] ||
        fail "no program is installed that could check signatures; remove $KEYS to install one"
    "$CURRENT/venv/bin/python" -P -m maskwatch_edge verify --trust "$KEYS" "$@" >&2 ||
        fail "this board takes only what a key of $KEYS signed; see above"
}

choose_serials() { # sets program_serial and model_serial
    program_serial='' model_serial=''
    [ -n "$trust" ] || [ -e "$KEYS" ] || return 0
    program_serial=$(serial program "$wheels"/maskwatch-*.whl) || exit 1
    model_serial=$(serial model "$model") || exit 1
}

serial() { # serial NAME FILE: what the signature of a file says, or else the number of before
    before=$(remembered "$1") now=''
    [ ! -f "$2.sig" ] || now=$(sed -n 's/^serial \([0-9]\{1,18\}\)$/\1/p' "$2.sig")
    now=${now:-$before}
    [ "${now:-0}" -ge "${before:-0}" ] || [ "$older" = yes ] ||
        fail "the $1 is older than the one that runs: its serial is $now, that one's $before;" \
            "if that is meant, add --allow-older"
    echo "$now"
}

remembered() { # remembered NAME: the serial of the release that runs, if any
    sed -n "s/^  \"$1_serial\": \"\([0-9]*\)\".*/\1/p" "$CURRENT/release.json" 2>/dev/null || :
}

same_trust() { # keys that are new ask for a new release, whose check finds out whether it can check
    { [ -z "$trust" ] || [ -e "$KEYS" ]; } && [ "$program_serial" = "$(remembered program)" ] &&
        [ "$model_serial" = "$(remembered model)" ]
}

adopt_keys() { # last of all: from here on a board without a program that can check takes nothing
    [ -n "$trust" ] && [ ! -e "$KEYS" ] || return 0
    put_file "$trust" "$KEYS"
    say "from now on this board takes only what a key of $KEYS signed"
}
