#!/usr/bin/env bash
# Runs the tests on the newer TFX line, in a Debian 13 of its own; for machines whose glibc is older.
#
#     tools/debian13.sh [ARGUMENT OF PYTEST ...]    `make test-debian13`
#
# .debian13/ holds the root, made once by debootstrap, and the .venv/ of that system. The checkout is
# mounted into it. Everything is mounted in a namespace of its own: the kernel unmounts all of it when
# the last process has ended, also after a kill. DEBIAN_MIRROR names another mirror than debootstrap's.
set -euo pipefail

checkout=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
own=$checkout/.debian13
root=$own/root
packages=python3,python3-venv,make,git,ca-certificates

say() { echo "debian13: $*"; }

fail() {
  say "$*" >&2
  exit 2
}

# What of this machine the system in the root sees too: names, certificates and settings of registries.
shared_files() {
  printf '%s\n' /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip/pip.conf /etc/uv/uv.toml
  printf '%s\n' ~/.pip/pip.conf ~/.config/pip/pip.conf ~/.config/uv/uv.toml ~/.netrc
  printf '%s\n' "${PIP_CONFIG_FILE:-}" "${UV_CONFIG_FILE:-}" "${SSL_CERT_FILE:-}" "${PIP_CERT:-}"
  printf '%s\n' "${REQUESTS_CA_BUNDLE:-}" "${CURL_CA_BUNDLE:-}" "${SSL_CLIENT_CERT:-}"
  # shellcheck disable=SC2086 # each may name several
  printf '%s\n' ${PIP_FIND_LINKS:-} ${UV_FIND_LINKS:-}
}

make_root() {
  say "making a Debian 13 in ${root#"$checkout/"}: a minute or two, once ..."
  rm -rf "$root.unfinished"
  mkdir -p "$own"
  debootstrap --variant=minbase --include="$packages" \
    trixie "$root.unfinished" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$own/debootstrap.log" 2>&1 ||
    fail "expected debootstrap to succeed, received: $(tail -1 "$own/debootstrap.log")." \
      "All that it wrote is in $own/debootstrap.log."
  mv "$root.unfinished" "$root"
}

# Shows a file or folder of this machine in the root, at the same place.
share() {
  if [ -d "$1" ]; then
    mkdir -p "$root$1"
  else
    mkdir -p "$root$(dirname "$1")"
    [ -e "$root$1" ] || touch "$root$1"
  fi
  mount --bind "$1" "$root$1"
}

# Process 1 of the namespaces: mounts, and hands over to the root.
enter() {
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  share "$checkout"
  mkdir -p "$own/venv" "$checkout/.venv"
  mount --bind "$own/venv" "$root$checkout/.venv"
  shared_files | sort -u | while read -r file; do
    if [ -f "$file" ] || [ -d "$file" ]; then share "$(realpath -s "$file")"; fi
  done
  # shellcheck disable=SC2016 # the shell in the root expands them
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin exec chroot "$root" \
    sh -euc 'cd "$1"; shift; make --no-print-directory setup; exec .venv/bin/python -m pytest "$@"' \
    sh "$checkout" "$@"
}

if [ "${1:-}" = --enter ]; then
  shift
  enter "$@"
fi
[ "$(id -u)" = 0 ] || fail "expected to run as root, for mount and chroot, received user $(id -un)." \
  "Call it with sudo."
command -v debootstrap >/dev/null ||
  fail "expected debootstrap on PATH, received none. Install it: apt-get install debootstrap."
[ -d "$root" ] || make_root
exec unshare --mount --pid --fork --kill-child "${BASH_SOURCE[0]}" --enter "$@"
