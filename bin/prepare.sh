# shellcheck shell=bash
# Sourced by demo.sh and test.sh: puts in place what they need, and does nothing when it is there.

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

has() {
  PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null
}

# as_root COMMAND...: runs it as root, by sudo where that is needed and can be had without a question.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif has sudo && { [ -t 2 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    fail "root is needed for: $* (run that as root, then start again)"
  fi
}

# install NAME-FOR-APT NAME-FOR-DNF NAME-FOR-PACMAN: each may be several packages, or empty.
install() {
  if has apt-get; then
    [ -z "$1" ] && return
    [ -n "${apt_updated:-}" ] || as_root apt-get update -qq
    apt_updated=yes
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1
  elif has dnf || has yum; then
    # shellcheck disable=SC2086
    [ -z "$2" ] || as_root "$(has dnf && echo dnf || echo yum)" install -y -q $2
  elif has pacman; then
    # shellcheck disable=SC2086
    [ -z "$3" ] || as_root pacman -Sy --needed --noconfirm $3
  else
    fail "no apt-get, dnf, yum or pacman here: install $1 by hand, then start again"
  fi
}

# need COMMAND APT DNF PACMAN: installs the package when the command is missing.
need() {
  has "$1" || install "$2" "$3" "$4"
  has "$1" || fail "$1 is still missing after installing its package"
}

# want COMMAND APT DNF PACMAN: the same, and goes on without it when it cannot be had.
want() {
  (need "$@") || true
}

# Node.js 20.19 or newer with npm, from the system's packages when there is none.
need_node() {
  need node nodejs nodejs nodejs
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)' ||
    fail "Node.js 20.19 or newer is needed, this is $(node --version): see https://nodejs.org/en/download"
  need npm npm npm npm
}

# The packages of package-lock.json, installed anew only when the lockfile is newer than they are.
need_modules() {
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-progress --loglevel=error
  fi
}
