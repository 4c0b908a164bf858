# How install.sh puts a release together: the program in its environment, model, configuration,
# drop-ins, and this folder.
# shellcheck shell=sh
# shellcheck disable=SC2154 # wheels, model, config, with, trust...: what install.sh was asked for

need_space() { # need_space MIB
    mkdir -p "$TOP"
    free=$(df -Pk "$TOP" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$1" ] || fail "$1 MiB must be free in $TOP; there are $free"
}

# Name the environment by what goes into it, so that the same is made only once.
program_key() {
    {
        "$PYTHON" -V
        lock
        if [ -n "$wheels" ]; then
            cd "$wheels" && sha256sum -- *.whl
        else
            extra
            cd "$HERE/.." && find pyproject.toml README.md LICENSE requirements \
                edge convert train models -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum
        fi
    } | sha256sum | cut -c 1-16
}

lock() { # apt's picamera2 brings libraries that were built for the apt's numpy
    "$PYTHON" -c 'import importlib.util as u, numpy
old = u.find_spec("picamera2") and int(numpy.__version__.split(".")[0]) < 2
print("board-numpy1" if old else "board")' 2>/dev/null || echo board
}

extra() {
    extras=''
    case " $chosen " in *" window "*) extras=display ;; esac
    case " $chosen " in *" mqtt "*) extras=${extras:+$extras,}mqtt ;; esac
    case " $chosen " in *" web "*) extras=${extras:+$extras,}web ;; esac
    [ -z "$trust" ] || extras=${extras:+$extras,}signatures
    [ -z "$extras" ] || echo "[$extras]"
}

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
    "$PYTHON" -m venv --system-site-packages "$venv"
    if [ -n "$wheels" ]; then
        pip_install --no-index --no-deps "$wheels"/*.whl
    else
        # Versions alone: pip checks hashes of everything or of nothing, and a checkout has none.
        sed '/--hash/d; s/ \\$//' "$HERE/../requirements/$(lock).txt" >"$TOP/tmp/versions"
        pip_install --constraint "$TOP/tmp/versions" "$HERE/..$(extra)"
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

choose_model() { # empties model if none was given: then one that comes with the program is run
    if [ -z "$model" ] && grep -qs '"model_from": "given"' "$CURRENT/release.json"; then
        model=$CURRENT/model.tflite
    fi
    [ "$model" != shipped ] || model=''
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
    for name in $DROP_INS window; do
        case " $with " in *" $name "*) ;; *) continue ;; esac
        case " $without " in *" $name "*) ;; *) chosen="$chosen $name" ;; esac
    done
}

same_as_current() {
    [ -L "$CURRENT" ] && [ "${venv##*/}" = "$(target_of "$CURRENT/venv")" ] &&
        same_trust && same_model && cmp -s "$config" "$CURRENT/config.toml" &&
        [ "$chosen" = "$(sed 's/^/ /' "$CURRENT/with" | tr -d '\n')" ] &&
        diff -rq "$HERE" "$CURRENT/installer" >/dev/null
}

same_model() {
    if [ -n "$model" ]; then
        cmp -s "$model" "$CURRENT/model.tflite" &&
            same_file "$model.sig" "$CURRENT/model.tflite.sig"
    else
        [ ! -f "$CURRENT/model.tflite" ]
    fi
}

same_file() { cmp -s "$1" "$2" || { [ ! -e "$1" ] && [ ! -e "$2" ]; }; }

put_model() { # put_model FOLDER
    [ -n "$model" ] || return 0
    cp "$model" "$1/model.tflite"
    [ ! -f "$model.sig" ] || cp "$model.sig" "$1/model.tflite.sig"
    echo "MASKWATCH_MODEL_PATH=$CURRENT/model.tflite" >"$1/environment"
}

check() { # check FOLDER: load model and configuration once with the program that will use them
    keys=$trust
    [ ! -e "$KEYS" ] || keys=$KEYS
    timeout 600 "$venv/bin/python" -m maskwatch_edge.deploy.health --config "$1/config.toml" \
        --environment "$ROOT/etc/maskwatch/environment" --with "$chosen" \
        ${model:+--model "$1/model.tflite"} ${keys:+--trust "$keys"} >&2 ||
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
    put_model "$folder"
    cp "$config" "$folder/config.toml"
    cp -R "$HERE" "$folder/installer"
    for name in $chosen; do echo "$name"; done >"$folder/with"
    chmod -R u=rwX,go=rX "$folder"
    chmod 755 "$folder"/installer/*install.sh
    check "$folder"
    sync -f "$folder"
    describe >"$folder/release.json.new"
    sync "$folder/release.json.new"
    mv "$folder/release.json.new" "$folder/release.json"
    sync "$folder" "$TOP/releases"
}

describe() {
    model_from=${model:+given}
    version=$("$venv/bin/python" -c \
        'from importlib.metadata import version; print(version("maskwatch"))')
    cat <<JSON
{
  "release": "$release",
  "version": "$version",
  "program": "${venv##*/}",
  "wheel_sha256": "$(cat "$venv/complete")",
  "model_sha256": "$(sha_of "$folder/model.tflite")",
  "model_from": "${model_from:-shipped}",
  "program_serial": "$program_serial",
  "model_serial": "$model_serial",
  "config_sha256": "$(sha_of "$folder/config.toml")",
  "with": "${chosen# }"
}
JSON
}

sha_of() { [ ! -f "$1" ] || sha256sum "$1" | cut -d ' ' -f 1; }
