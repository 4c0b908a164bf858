#!/usr/bin/env bash
# Builds the emulated board of the tests: Debian 12 for arm64, for QEMU's machine "virt".
#
#   tests/board/build-board.sh     # as root; some minutes the first time
#
# It is built anew only when this file or image/ has changed.
#
# Makes build/board/{vmlinuz,initrd.img,board.dtb,board.qcow2,id_ed25519}. Nothing is emulated
# while it builds: debootstrap configures Debian for this machine's own processor, then every
# program is exchanged for the arm64 one of the same version.
#
# Exit code: 0 built, or up to date; 69 it cannot be built here, and why; anything else a failure.
set -euo pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BOARD=$(cd "$HERE/../.." && pwd)/build/board
SUITE=bookworm
DISK_SIZE=4G
HOST=$(dpkg --print-architecture 2>/dev/null || true)
# shellcheck source=SCRIPTDIR/../steps.sh
. "$HERE/../steps.sh"

# Commands that starting and building the board take, and the Debian packages that have them.
RUN_TOOLS="qemu-system-aarch64:qemu-system-arm qemu-img:qemu-utils ssh:openssh-client"
BUILD_TOOLS="debootstrap:debootstrap fdtput:device-tree-compiler cpio:cpio zstd:zstd modprobe:kmod
    mkfs.ext4:e2fsprogs"

# What a Pi OS Lite has of the things that Maskwatch and its installation touch.
PACKAGES=systemd,systemd-sysv,udev,dbus,kmod,procps,iproute2,openssh-server,sudo
PACKAGES+=,python3,python3-venv,python3-libgpiod,gpiod,v4l-utils

# What the disk is reached with, and what the running board needs beyond that.
BOOT_MODULES="virtio_pci virtio_blk ext4"
MODULES="$BOOT_MODULES virtio_net virtio-rng virtio-gpu gpio_keys vivid loop
    autofs4 binfmt_misc"

# The names of the lines of the GPIO chip, in order. The machine itself takes the fourth, for its
# power button.
LINES=(GPIO17 GPIO27 GPIO22 POWER GPIO23 GPIO24 GPIO25 GPIO5)

main() {
    export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin
    mkdir -p "$BOARD"
    exec 9> "$BOARD/.lock"
    flock 9
    local key
    key=$(cd "$HERE" && find build-board.sh image -type f | sort | xargs sha256sum | sha256sum)
    if [ "$(cat "$BOARD/key" 2> /dev/null)" = "$key" ] && [ -z "$(missing "$RUN_TOOLS")" ]; then
        echo "the board is up to date: $BOARD"
        return
    fi
    find_tools
    build
    echo "$key" > "$BOARD/key"
    echo "the board is built: $(du -h "$BOARD/board.qcow2" | cut -f 1) in $BOARD"
}

build() {
    local step
    WORK=$BOARD/work
    ROOT=$WORK/root
    rm -rf "$BOARD/key" "$WORK"
    mkdir -p "$WORK" "$BOARD/debs"
    for step in debian configure exchange kernel initramfs device_tree disk; do
        run_step "$BOARD" "$step"
    done
    rm -rf "$WORK"
}

cannot() {
    echo "the emulated board cannot be had here: $1" >&2
    exit 69
}

# The Debian packages of those of some tools that are not installed.
missing() {
    local tool
    for tool in $1; do
        command -v "${tool%:*}" > /dev/null || printf '%s ' "${tool#*:}"
    done
}

# Install what is missing, or say what is.
find_tools() {
    [ "$(id -u)" = 0 ] || cannot "building it needs root; run: sudo $0"
    local packages
    packages=$(missing "$RUN_TOOLS $BUILD_TOOLS")
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages+=debian-archive-keyring
    [ -n "$packages" ] || return 0
    command -v apt-get > /dev/null || cannot "there is no apt-get here to install: $packages"
    echo "installing: $packages"
    # shellcheck disable=SC2086
    { apt-get -q update || true; apt-get -q -y install --no-install-recommends $packages; } \
        > "$BOARD/apt.log" 2>&1 || cannot "apt-get cannot install $packages: see $BOARD/apt.log"
}

# The mirror that this machine itself installs from.
mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
        grep -m 1 '/debian/*$' || echo http://deb.debian.org/debian
}

# Debian for this machine's processor, and the packages of the same for arm64. In a mount namespace
# of its own, so that nothing stays mounted if it is interrupted.
debian() {
    local common=(--variant=minbase "--cache-dir=$BOARD/debs") from
    from=$(mirror)
    unshare -m debootstrap "${common[@]}" --include="$PACKAGES" $SUITE "$ROOT" "$from"
    debootstrap "${common[@]}" --arch=arm64 --download-only \
        --include="$PACKAGES,linux-image-arm64,busybox-static" $SUITE "$WORK/arm64" "$from"
}

# What Pi OS has beyond Debian's packages, and image/. Still with this machine's programs.
configure() {
    cd "$ROOT"
    chroot . groupadd --system gpio
    chroot . useradd --create-home --shell /bin/bash --groups adm,sudo,video,gpio pi
    cp -r "$HERE/image/." .
    chmod 440 etc/sudoers.d/010_pi-nopasswd

    rm -f "$BOARD"/id_ed25519* etc/ssh/ssh_host_{rsa,ecdsa}_key*
    ssh-keygen -q -t ed25519 -N '' -C board -f "$BOARD/id_ed25519"
    install -D -m 600 "$BOARD/id_ed25519.pub" root/.ssh/authorized_keys
    install -D -m 600 "$BOARD/id_ed25519.pub" home/pi/.ssh/authorized_keys
    chmod 700 root/.ssh home/pi/.ssh
    chroot . chown -R pi:pi /home/pi/.ssh

    local unit units=etc/systemd/system
    ln -s /lib/systemd/system/systemd-networkd.service $units/multi-user.target.wants/
    # These only cost time.
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service; do
        ln -sf /dev/null $units/$unit
    done
    rm -rf usr/share/{doc,man,info,locale,lintian} var/cache/apt/archives/*.deb var/lib/apt/lists/*
    : > etc/machine-id
    rm -f var/lib/dbus/machine-id
}

# Throw out this machine's programs and put the arm64 ones in their place. What Debian's scripts
# made (users, links, certificates, byte code) is the same on every processor and stays.
exchange() {
    [ "$HOST" != arm64 ] || return 0
    cd "$ROOT"
    local triplet package deb
    triplet=$(basename usr/lib/*-linux-gnu)
    sort -u var/lib/dpkg/info/*.list | grep -v -E '^/etc/|^/(\.|bin|sbin|lib)$' |
        sed 's,^,.,' | xargs -d '\n' rm -f 2> /dev/null || true  # it names folders, too
    rm -rf "usr/lib/$triplet" usr/lib64 lib64
    sed -n 's/^Package: //p' var/lib/dpkg/status | while read -r package; do
        deb=$(ls "$WORK"/arm64/var/cache/apt/archives/"$package"_*.deb)
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --skip-old-files \
            --exclude './usr/share/doc' --exclude './usr/share/man' --exclude './usr/share/locale'
    done
    sed -i "s/^Architecture: $HOST$/Architecture: arm64/" var/lib/dpkg/status
    for package in var/lib/dpkg/info/*:"$HOST".*; do
        mv "$package" "${package/:$HOST./:arm64.}"
    done
    local leftovers
    leftovers=$(grep -r -l -a -P '^\x7fELF.{14}(?!\xb7\x00)' . || true)
    [ -z "$leftovers" ] || { echo "not for arm64: $leftovers"; return 1; }
}

# The kernel, and the few of its modules that the board needs.
kernel() {
    dpkg-deb -x "$WORK"/arm64/var/cache/apt/archives/linux-image-[0-9]*.deb "$WORK/kernel"
    dpkg-deb -x "$WORK"/arm64/var/cache/apt/archives/busybox-static_*.deb "$WORK/busybox"
    cd "$WORK/kernel"
    local version
    version=$(ls lib/modules)
    cp "boot/vmlinuz-$version" "$BOARD/vmlinuz"
    depmod -b . "$version"
    mkdir -p "$ROOT/lib/modules/$version"
    cp lib/modules/"$version"/modules.{builtin,builtin.modinfo,order} "$ROOT/lib/modules/$version/"
    modules "$MODULES" | tar -c -T - | tar -x -C "$ROOT" --keep-directory-symlink --no-same-owner
    depmod -b "$ROOT" "$version"
}

# The files of some modules and of all that those depend on, in the order to load them.
modules() {
    local module
    for module in $1; do
        modprobe -d . -S "$(ls lib/modules)" --show-depends "$module"
    done | sed -n 's,^insmod ,,p' | sed -E 's,^.*/(lib/modules/[^ ]*).*,\1,' | awk '!seen[$0]++'
}

# A first file system that does one thing: load the modules that reach the disk, and go on there.
initramfs() {
    local tree=$WORK/initramfs file
    mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
    cp "$WORK/busybox/bin/busybox" "$tree/bin/"
    cd "$WORK/kernel"
    for file in $(modules "$BOOT_MODULES"); do
        cp "$file" "$tree/modules/"
        echo "/bin/busybox insmod /modules/$(basename "$file")"
    done > "$WORK/insmod"
    {
        echo '#!/bin/busybox sh'
        echo '/bin/busybox mount -t devtmpfs dev /dev'
        cat "$WORK/insmod"
        echo 'while ! [ -b /dev/vda ]; do /bin/busybox sleep 0.1; done'
        echo '/bin/busybox mount -t ext4 -o ro /dev/vda /root'
        echo '/bin/busybox mount -o move /dev /root/dev'
        echo 'exec /bin/busybox switch_root /root /sbin/init'
    } > "$tree/init"
    chmod +x "$tree/init"
    (cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) | zstd -q -f -o "$BOARD/initrd.img"
}

# QEMU's own description of the machine, with names for the GPIO lines. Those of the machine must
# be the ones that board.py starts it with.
device_tree() {
    local tree=$BOARD/board.dtb
    # Without -nic none QEMU adds a network card and asks for its boot ROM, a package of its own.
    qemu-system-aarch64 -M virt,dumpdtb="$tree" -cpu cortex-a72 -smp 2 -m 2048 -display none -nic none
    fdtput -t s "$tree" /pl061@9030000 gpio-line-names "${LINES[@]}"
}

disk() {
    mkfs.ext4 -q -m 0 -E lazy_itable_init=1,root_owner=0:0 -d "$ROOT" "$WORK/board.img" $DISK_SIZE
    qemu-img convert -O qcow2 "$WORK/board.img" "$BOARD/board.qcow2"
}

main "$@"
