import { spawnSync } from 'node:child_process';

/** The password of psm-dash, psm-ash and psm-zsh, for sudo and for password logins. */
export const DASH_PASSWORD = 'psm dash: "p@ss\' w0rd';

/**
 * The accounts that the tests log in to, named after their login shells (ash is busybox's):
 * psm-bash may sudo without a password, psm-dash with `DASH_PASSWORD`, psm-zsh not at all; psm-tty (bash) only on a
 * terminal; psm-lab is as psm-bash, for tests of the set-up. psm-ash gives `DASH_PASSWORD` too, but is not asked again
 * while sudo remembers it.
 */
export const USERS = ['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'psm-tty'] as const;

/** A folder of busybox's programs under their own names, to be put first in PATH. */
export const BUSYBOX_PROGRAMS = '/usr/local/lib/psm/programs';

const MAKE_USERS = `set -eu
busybox=$(command -v busybox)
mkdir -p ${BUSYBOX_PROGRAMS}
[ -e /usr/local/lib/psm/ash ] || ln -s "$busybox" /usr/local/lib/psm/ash
[ -e ${BUSYBOX_PROGRAMS}/sh ] || busybox --list | sed "s|.*|ln -sf $busybox ${BUSYBOX_PROGRAMS}/&|" | sh
# Dropbear lets nobody in whose shell is not there.
grep -qx /usr/local/lib/psm/ash /etc/shells || echo /usr/local/lib/psm/ash >>/etc/shells
for name in bash dash zsh ash tty lab; do
  shell=$(command -v $name || true)
  [ $name != ash ] || shell=/usr/local/lib/psm/ash
  case $name in tty | lab) shell=$(command -v bash) ;; esac
  id -u psm-$name >/dev/null 2>&1 || useradd --create-home --shell "$shell" psm-$name
done
usermod -p '*' psm-bash
usermod -p '*' psm-tty
usermod -p '*' psm-lab
chpasswd <<'END'
psm-dash:${DASH_PASSWORD}
psm-zsh:${DASH_PASSWORD}
psm-ash:${DASH_PASSWORD}
END
mkdir -p /etc/sudoers.d
rules() {
  user=$1
  shift
  printf '%s\\n' "$@" >"/etc/sudoers.d/.$user.new"
  chmod 440 "/etc/sudoers.d/.$user.new"
  mv "/etc/sudoers.d/.$user.new" "/etc/sudoers.d/$user"
}
rules psm-bash 'psm-bash ALL=(ALL:ALL) NOPASSWD: ALL' 'Defaults:psm-bash !secure_path'
rules psm-lab 'psm-lab ALL=(ALL:ALL) NOPASSWD: ALL' 'Defaults:psm-lab !secure_path'
rules psm-dash 'psm-dash ALL=(ALL:ALL) ALL' 'Defaults:psm-dash !secure_path'
rules psm-ash 'psm-ash ALL=(ALL:ALL) ALL' 'Defaults:psm-ash !secure_path, timestamp_type=global'
rules psm-tty 'psm-tty ALL=(ALL:ALL) NOPASSWD: ALL' 'Defaults:psm-tty requiretty'
rm -f /etc/sudoers.d/psm-zsh
`;

/** argv that runs `argv` as root: itself when root already, else through `sudo -n`. */
export const asRoot = (argv: readonly string[]): [string, ...string[]] => {
  const whole = process.getuid?.() === 0 ? [...argv] : ['sudo', '-n', ...argv];
  return whole as [string, ...string[]];
};

/** Runs a command as root and gives its output; throws with its stderr when it fails. */
export function runAsRoot(argv: readonly string[], input = ''): string {
  const [file, ...args] = asRoot(argv);
  const done = spawnSync(file, args, { input, encoding: 'utf8' });
  if (done.status === 0) return done.stdout;
  const why = done.error?.message ?? done.stderr.trim();
  throw new Error(`The tests need root and what bin/test.sh installs: run \`bash bin/test.sh\`. ${argv[0]}: ${why}`);
}

/** Makes the test accounts, or sets them right when they are there. Test files may call it at the same time. */
export function makeUsers(): void {
  // On stdin, because a test looks for the password in every process list.
  runAsRoot(['flock', '/etc', 'sh', '-s'], MAKE_USERS);
}
