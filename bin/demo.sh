#!/usr/bin/env bash
# Plays a session against a pretend Proxmox VE datacentre on this machine. Nothing outside this folder is changed,
# except that Node.js is installed where there is none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bin/prepare.sh

{
  need_node
  need_modules
  npm run --silent build
} </dev/null >&2

exec node bin/proxmox-ssh-mcp.js demo "$@"
