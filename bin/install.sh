#!/usr/bin/env bash
# Installs what must exist before Node.js does; all the rest is `proxmox-ssh-mcp setup`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'END'
Usage: bash bin/install.sh [options]          set proxmox-ssh-mcp up, asking before anything is changed
       bash bin/install.sh --uninstall [--yes]  take away what the set-up put somewhere, each thing asked

Installs Node.js 20.19 or newer (its own copy where the system's is too old), git and the OpenSSH client with apt, dnf,
yum or pacman, builds the program, and runs its set-up. Options answer what would be asked:

  --yes                        do everything unasked, but vouch for no fingerprint
  --host HOST                  name or address of the Proxmox VE host
  --api-port PORT              port of its API (8006)
  --ssh-user NAME              SSH login (root)
  --ssh-port PORT              SSH port (22)
  --fingerprint SHA-256        fingerprint that the API's certificate must have
  --host-key SHA256:...        fingerprint that the SSH host key must have
  --ssh-key FILE               private key to use, instead of one that is made
  --key ours|agent|old         which key: one of our own, those of the SSH agent, or that of another server
  --token-from make|take|type|keep|other
                               where the API token is from
  --token-file FILE            file that holds the secret of an API token; - is standard input
  --token-user USER@REALM      user of the token (mcp@pve)
  --token-name NAME            name of the token (claude)
  --token-days DAYS            days after which the token expires
  --access operator|read-only|full
                               what the token may do
  --secret-store keychain|file where the secret of the token is kept
  --secret-command COMMAND     command that prints the secret of the token at every start
  --mode MODE                  guarded, read-only, ask or trusted
  --toolsets SET               full, core, pve or ssh
  --client NAME...             AI clients to register it in: claude-code, claude-desktop, cursor, vscode, project
  --name NAME                  what the clients call it
  --old-entries leave|remove   what becomes of other servers for Proxmox VE and SSH in the list
  --replace                    register in the place of another server of that name
  --settings-file FILE         settings file to write
  --show-config                print what would be registered, and change nothing
  --uninstall                  take everything away again
  --help                       this text
END
}

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# agreed QUESTION: whether to do it. Without a terminal only --yes says so.
agreed() {
  [ -z "$yes" ] || return 0
  [ -t 0 ] || fail "there is no terminal to ask on: $1 (--yes does it unasked)"
  local answer
  read -r -p "$1 [Y/n] " answer || return 1
  [[ $answer =~ ^([Yy]([Ee][Ss])?)?$ ]]
}

# family: apt, dnf, yum or pacman, by /etc/os-release and then by what is there.
family() {
  local ids='' one
  if [ -r "$os_release" ]; then
    # shellcheck source=/dev/null
    ids=$(. "$os_release" && echo "${ID:-} ${ID_LIKE:-}")
  fi
  for one in $ids; do
    case $one in
      debian | ubuntu) echo apt && return ;;
      fedora | rhel | centos) has dnf && echo dnf && return; echo yum && return ;;
      arch | manjaro) echo pacman && return ;;
    esac
  done
  for one in apt-get dnf yum pacman; do
    has "$one" && echo "${one%-get}" && return
  done
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need COMMAND APT DNF PACMAN: asks, and installs the packages that have the command.
need() {
  has "$1" && return
  local manager packages
  manager=$(family) || fail "$1 is missing, and no apt, dnf, yum or pacman is here: install it by hand, then start again"
  case $manager in
    apt) packages=$2 ;;
    dnf | yum) packages=$3 ;;
    pacman) packages=$4 ;;
  esac
  agreed "$1 is missing. Install $packages with $manager?" || fail "$1 is needed: install it by hand, then start again"
  echo "Installing $packages ..."
  # shellcheck disable=SC2086 # several packages
  case $manager in
    apt)
      [ -n "${updated:-}" ] || as_root apt-get update -qq || fail 'apt-get update failed: see above'
      updated=yes
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages ;;
    dnf | yum) as_root "$manager" install -y -q $packages ;;
    pacman) as_root pacman -S --needed --noconfirm $packages ;;
  esac || fail "$manager could not install $packages: see above"
  hash -r
  has "$1" || fail "$1 is still missing after installing $packages"
}

# new_enough NODE: whether that Node.js is 20.19 or newer.
new_enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# find_node: sets `node` to one that is new enough; its own copy is made where the system's is not.
find_node() {
  local own=$runtime/node_modules/node/bin/node
  if [ -x "$own" ] && new_enough "$own"; then
    node=$own
    return
  fi
  need node nodejs nodejs nodejs
  need npm npm npm npm
  if new_enough node; then
    node=$(command -v node)
    return
  fi
  agreed "Node.js $(node --version) is too old. Put a newer copy into $runtime, for this program alone?" ||
    fail 'Node.js 20.19 or newer is needed: see https://nodejs.org/en/download'
  echo 'Fetching Node.js ...'
  mkdir -p "$runtime"
  if ! npm install --prefix "$runtime" --no-save --no-audit --no-fund --loglevel=error --ignore-scripts=false node@24 ||
    ! new_enough "$own"; then
    rm -rf "$runtime"
    fail 'that did not work, and nothing of it is left: see above, or install Node.js 20.19 or newer by hand'
  fi
  node=$own
  made_runtime=$runtime
}

# build: makes dist/, unless it is newer than all that it is made from.
build() {
  [ -d src ] || return 0
  if [ -e dist/main.js ] && [ -z "$(find src package-lock.json scripts -newer dist/main.js -print -quit)" ]; then return; fi
  agreed 'Build the program (npm ci, npm run build)?' || fail 'it has to be built first: npm ci && npm run build'
  echo 'Building ...'
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    PATH=$(dirname "$node"):$PATH npm ci --no-audit --no-fund --no-progress --loglevel=error || fail 'npm ci failed: see above'
  fi
  PATH=$(dirname "$node"):$PATH npm run --silent build || fail 'the build failed: see above'
}

yes='' uninstall='' made_runtime='' node=''
arguments=()
for argument in "$@"; do
  case $argument in
    -h | --help) usage && exit ;;
    --uninstall) uninstall=yes ;;
    -y | --yes) yes=yes ;;
    *) arguments+=("$argument") ;;
  esac
done
os_release=${PSM_OS_RELEASE:-/etc/os-release}
runtime=${XDG_DATA_HOME:-$HOME/.local/share}/proxmox-ssh-mcp

if [ -n "$uninstall" ]; then
  for node in "$runtime/node_modules/node/bin/node" "$(command -v node || true)"; do
    if [ -x "$node" ] && new_enough "$node"; then
      exec "$node" bin/proxmox-ssh-mcp.js uninstall ${yes:+--yes} ${arguments[@]+"${arguments[@]}"}
    fi
  done
  fail 'Node.js 20.19 or newer is needed for this too, and there is none any more: run the installer first'
fi

need git git git git
need ssh openssh-client openssh-clients openssh
find_node
build
exec "$node" bin/proxmox-ssh-mcp.js setup ${yes:+--yes} ${made_runtime:+--made-runtime "$made_runtime"} ${arguments[@]+"${arguments[@]}"}
