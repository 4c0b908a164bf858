#!/usr/bin/env bash
# Gets what counting instructions takes: QEMU's user mode with its counter, and Python for arm64.
#
#   benchmarks/instructions/build.sh     # needs no root; a minute the first time
#
# Makes build/instructions/{qemu-aarch64,counter.so,root,site-*}: Debian's emulator, our plugin for
# it, the arm64 Python of Debian 12, and the wheels that a board would get. Nothing is installed.
# It is built anew only when a file beside this one has changed. PYTHON names a Python with pip.
#
# Exit code: 0 built, or up to date; 69 it cannot be had here, and why; anything else a failure.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=$(cd "$HERE/../.." && pwd)/build/instructions
PYTHON=${PYTHON:-python3}
HOST=$(dpkg --print-architecture 2> /dev/null || true)
# shellcheck source=SCRIPTDIR/../../tests/steps.sh
. "$HERE/../../tests/steps.sh"

# The Debian packages of the board: Python, and what the wheels link to.
PACKAGES="python3.11 libstdc++6"

main() {
    export LC_ALL=C
    mkdir -p "$BUILD"
    exec 9> "$BUILD/.lock"
    flock 9
    local key
    key=$(cd "$HERE" && sha256sum build.sh counter.c requirements*.txt | sha256sum)
    if [ "$(cat "$BUILD/key" 2> /dev/null)" = "$key" ]; then
        echo "the emulated Python is up to date: $BUILD"
        return
    fi
    check_tools
    rm -rf "$BUILD"/{key,apt,root,qemu,own,cache,site-*,*.log}
    run_step "$BUILD" emulator 69
    run_step "$BUILD" counter
    run_step "$BUILD" board 69
    run_step "$BUILD" wheels 69
    run_step "$BUILD" try
    echo "$key" > "$BUILD/key"
    echo "the emulated Python is built: $(du -sh "$BUILD" | cut -f 1) in $BUILD"
}

cannot() {
    echo "instructions cannot be counted here: $1" >&2
    exit 69
}

check_tools() {
    local tool
    for tool in apt-get dpkg-deb gcc; do
        command -v $tool > /dev/null || cannot "there is no $tool; it takes Debian with gcc"
    done
    "$PYTHON" -m pip --version > /dev/null || cannot "$PYTHON has no pip; give PYTHON=..."
}

# apt-get with packages and lists of its own, for a processor, without touching those of the system.
fetch() {
    local processor=$1 state=$BUILD/apt/$1
    shift
    mkdir -p "$state"/{lists,cache/archives}/partial
    : >> "$state/status"
    local options=(-q -y --no-install-recommends
        -o "APT::Architecture=$processor" -o "APT::Architectures=$processor"
        -o "APT::Sandbox::User=$(id -un)" -o "Dir::State=$state" -o "Dir::State::lists=$state/lists"
        -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache")
    apt-get "${options[@]}" update
    apt-get "${options[@]}" --download-only install "$@"
}

# Only Debian's `qemu-user` takes plugins, `qemu-user-static` does not. What it links to is taken
# from the same packages, so that nothing need be installed.
emulator() {
    fetch "$HOST" qemu-user
    local deb
    for deb in "$BUILD/apt/$HOST"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$BUILD/qemu"; done
    cat > "$BUILD/qemu-aarch64" <<- 'END'
		#!/bin/sh
		qemu=$(dirname "$0")/qemu
		triplet=$(basename "$qemu"/usr/lib/*-linux-gnu)
		loader=$(ls "$qemu"/lib*/ld-linux-*.so.* | head -n 1)
		exec "$loader" --library-path "$qemu/lib/$triplet:$qemu/usr/lib/$triplet" \
		    "$qemu/usr/bin/qemu-aarch64" "$@"
	END
    chmod +x "$BUILD/qemu-aarch64"
    "$BUILD/qemu-aarch64" --version
}

counter() {
    gcc -O2 -Wall -Wextra -shared -fPIC -o "$BUILD/counter.so" "$HERE/counter.c"
}

# Debian's Python for arm64, unpacked and not configured.
board() {
    # shellcheck disable=SC2086
    fetch arm64 $PACKAGES
    local deb processor
    for deb in "$BUILD"/apt/arm64/cache/archives/*.deb; do dpkg-deb -x "$deb" "$BUILD/root"; done
    rm -rf "$BUILD"/root/usr/share/{doc,man,info,locale}
    rm -rf "$BUILD/apt"
    # LiteRT asks this file for the processor, and would be answered by that of this machine.
    mkdir -p "$BUILD/root/proc"
    for processor in 0 1 2 3; do
        printf '%s\t: %s\n' processor $processor 'CPU implementer' 0x41 'CPU architecture' 8 \
            'CPU variant' 0x0 'CPU part' 0xd08 'CPU revision' 3
        echo
    done > "$BUILD/root/proc/cpuinfo"
}

wheels() {
    local file name version platforms=()
    for version in $(seq 17 36); do platforms+=(--platform "manylinux_2_${version}_aarch64"); done
    for file in "$HERE"/requirements*.txt; do
        name=$(basename "$file" .txt)
        [ "$name" = requirements ] && name=ai-edge-litert || name=${name#requirements-}
        "$PYTHON" -m pip --disable-pip-version-check install --target "$BUILD/site-$name" \
            --only-binary :all: --implementation cp --python-version 3.11 \
            --platform manylinux2014_aarch64 "${platforms[@]}" --requirement "$file"
    done
    # The program itself runs from the checkout; all that it asks of an installation is its version.
    mkdir -p "$BUILD/own/maskwatch-0.dist-info"
    printf 'Metadata-Version: 2.1\nName: maskwatch\nVersion: 0\n' \
        > "$BUILD/own/maskwatch-0.dist-info/METADATA"
}

try() {
    local site
    for site in "$BUILD"/site-*; do
        "$BUILD/qemu-aarch64" -cpu cortex-a72 -plugin "$BUILD/counter.so" -d plugin \
            -L "$BUILD/root" -E OPENBLAS_NUM_THREADS=1 -E "PYTHONPATH=$site" \
            "$BUILD/root/usr/bin/python3.11" -c 'import cv2, numpy; print(cv2.__version__)'
    done
}

main "$@"
