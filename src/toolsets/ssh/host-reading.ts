import { quote } from '../../ssh/quote.ts';
import { Reading } from '../../ssh/reading.ts';

/** One line `NAME=VALUE` for each thing that is there; a program is there when it tells its version, or is in PATH. */
const SCRIPT = String.raw`PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C
export PATH LC_ALL
timeout 3 true && limited=1 || limited=
short() { if [ -n "$limited" ]; then timeout 3 "$@"; else env "$@"; fi; }
say() { [ -z "$2" ] || printf '%s=%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null; }
first() { sed -n '1p'; }

say hostname "$(uname -n)"
say kernel "$(uname -s) $(uname -r)"
say arch "$(uname -m)"
os=$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release | sed "s/^[\"']//; s/[\"']\$//" | first)
say os "$os"
say shell "$SHELL"
say init "$(cat /proc/1/comm)"
[ ! -d /run/systemd/system ] || say systemd "$(short systemctl --version | first) "
[ ! -e /run/openrc ] || say openrc "$(short openrc --version | first) "
say cpus "$(getconf _NPROCESSORS_ONLN || nproc || sysctl -n hw.ncpu)"
say memory "$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo || sysctl -n hw.memsize)"
for program in docker podman python3 node git; do
  ! has $program || say $program "$(short $program --version | first || :) "
done
! has rsync || say rsync "$(short rsync --version | first) "
! has zpool || say zfs "$(cat /sys/module/zfs/version) "
! has pveversion || say pve "$(short pveversion) "
! has tmux || say tmux "$(short tmux -V) "
virt=$(short systemd-detect-virt)
[ -n "$virt" ] || virt=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^container=//p')
[ -n "$virt" ] || ! [ -e /.dockerenv ] || virt=docker
[ -n "$virt" ] || ! grep -q '^flags.* hypervisor' /proc/cpuinfo || virt=vm-other
say virt "$virt"
# Listing first: where it needs a password, or sudo is not for this user, nobody is told of an attempt.
if [ "$(id -u)" = 0 ]; then say sudo root
elif ! has sudo; then say sudo none
elif short sudo -n -l >/dev/null && short sudo -n true; then say sudo free
else say sudo asks
fi
say end end
`;

/** What a host is and has, in one look. */
export const hostReading = new Reading(`exec 2>/dev/null\nexec sh -c ${quote(SCRIPT)}`);

/** What a host told of itself. */
export interface Found {
  /** Names of what it has, of the list of which hosts can be filtered by. */
  readonly capabilities: readonly string[];
  /** As the host says it, by the names that the reading gives. */
  readonly said: Readonly<Record<string, string>>;
  readonly cpus?: number;
  readonly memory?: number;
  readonly sudo?: 'root' | 'none' | 'free' | 'asks';
  /** It was told to the end. */
  readonly whole: boolean;
}

/** Programs and systems that count as capabilities when the host speaks of them. */
export const capabilityNames = [
  'docker',
  'podman',
  'systemd',
  'openrc',
  'zfs',
  'pve',
  'python3',
  'node',
  'git',
  'rsync',
  'tmux',
  'sudo',
  'container',
  'vm',
] as const;

const CONTAINERS = /^(lxc|lxc-libvirt|systemd-nspawn|docker|podman|openvz|rkt|wsl|proot|pouch)$/;
const LONGEST = 200;

/** Reads what the look printed. */
export function foundIn(text: string): Found {
  const lines = text.split('\n').flatMap((line) => {
    const [, name, value = ''] = /^([a-z0-9]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value.trim().slice(0, LONGEST)] as const];
  });
  const said = Object.fromEntries(lines);
  const virt =
    said.virt === undefined || said.virt === 'none' ? undefined : CONTAINERS.test(said.virt) ? 'container' : 'vm';
  const sudo = (['root', 'none', 'free', 'asks'] as const).find((one) => one === said.sudo);
  const has = (name: string) =>
    name === 'sudo'
      ? sudo === 'root' || sudo === 'free'
      : name === virt || (name !== 'container' && name !== 'vm' && name in said);
  const amount = (name: string) => (/^\d+$/.test(said[name] ?? '') ? Number(said[name]) : undefined);
  return {
    capabilities: capabilityNames.filter(has),
    said,
    cpus: amount('cpus'),
    memory: amount('memory'),
    sudo,
    whole: said.end === 'end',
  };
}
