import { spawnSync } from 'node:child_process';

/** The password of psm-dash, for sudo and for password logins. Known to the tests only by this name. */
export const DASH_PASSWORD = 'psm dash: "p@ss\' w0rd';

/**
 * The accounts that the tests log in to, named after their login shells:
 * psm-bash may sudo without a password, psm-dash with `DASH_PASSWORD`, psm-zsh not at all.
 */
export const USERS = ['psm-bash', 'psm-dash', 'psm-zsh'] as const;

const MAKE_USERS = `set -eu
for shell in bash dash zsh; do
  user=psm-$shell
  id -u "$user" >/dev/null 2>&1 || useradd --create-home --shell "$(command -v $shell)" "$user"
done
usermod -p '*' psm-bash
usermod -p '*' psm-zsh
printf '%s:%s\\n' psm-dash "$1" | chpasswd
rule() { printf '%s\\n' "$2" "Defaults:$1 !secure_path" >"/etc/sudoers.d/.$1.new"; chmod 440 "/etc/sudoers.d/.$1.new"; mv "/etc/sudoers.d/.$1.new" "/etc/sudoers.d/$1"; }
mkdir -p /etc/sudoers.d
rule psm-bash 'psm-bash ALL=(ALL:ALL) NOPASSWD: ALL'
rule psm-dash 'psm-dash ALL=(ALL:ALL) ALL'
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
  runAsRoot(['flock', '/etc', 'sh', '-s', DASH_PASSWORD], MAKE_USERS);
}
