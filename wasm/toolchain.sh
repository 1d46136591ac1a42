#!/bin/sh
# Emscripten 6 on a bare Debian machine, as root: a Debian forky system in the folder $1 (about 40 s, 1.3 GB). Bookworm's
# own Emscripten is 3.1, which knows neither relaxed SIMD as it was standardised nor -m64.
#   toolchain.sh install <root>
#   toolchain.sh run <root> <folder> <command>...   runs a command inside, with <folder> as /build
set -eu
action=$1 root=$2
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

# Mounts live in a namespace of their own, so that nothing is left mounted in a folder that somebody may delete.
inside() { # <folder> <command>...
  folder=$1; shift
  unshare --mount --propagation private sh -eu -c '
    root=$1 folder=$2; shift 2
    mount -t proc proc "$root/proc"
    mkdir -p "$root/build"
    mount --bind "$folder" "$root/build"
    exec chroot "$root" env HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' inside "$root" "$folder" "$@"
}

case $action in
  install)
    command -v debootstrap >/dev/null || {
      apt-get -o DPkg::Lock::Timeout=600 update -qq
      apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends debootstrap
    }
    # The mirror that this machine already uses.
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -1)
    [ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' /etc/apt/sources.list | head -1)
    part=$root.part
    rm -rf "$part"
    # Bookworm's debootstrap has no script of the name forky; sid's does the same.
    debootstrap --variant=minbase forky "$part" "$mirror" /usr/share/debootstrap/scripts/sid
    printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'APT::Sandbox::User "root";' 'Acquire::Languages "none";' \
      >"$part/etc/apt/apt.conf.d/99local"
    echo force-unsafe-io >"$part/etc/dpkg/dpkg.cfg.d/unsafe"
    for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
      if [ -f "$file" ]; then cp "$file" "$part/etc/apt/apt.conf.d/"; fi
    done
    root=$part
    inside /tmp apt-get update -qq
    inside /tmp apt-get install -y -qq --no-install-recommends emscripten cmake ninja-build
    inside /tmp emcc --version
    mv "$part" "$2"
    ;;
  run)
    shift 2
    inside "$@"
    ;;
  *)
    echo "Cannot do $action: toolchain.sh knows install and run" >&2
    exit 2
    ;;
esac
