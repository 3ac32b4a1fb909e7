#!/usr/bin/env bash
# Installs what the tests need and runs them all; arguments are passed on to vitest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source bin/prepare.sh

need_node
need ssh openssh-client openssh-clients openssh
need sshd openssh-server openssh-server openssh
need sudo sudo sudo sudo
need zsh zsh zsh zsh
need dash dash dash dash
need shellcheck shellcheck ShellCheck shellcheck
need tmux tmux tmux tmux
need strace strace strace strace
need dbus-run-session dbus dbus-daemon dbus
need gnome-keyring-daemon gnome-keyring gnome-keyring gnome-keyring
need ps procps procps-ng procps-ng
need chromium chromium chromium chromium
need busybox busybox-static busybox busybox
# Its tests are about OpenSSH alone where it is not to be had.
want dropbear dropbear-bin dropbear dropbear
need_modules

exec npm test -- "$@"
