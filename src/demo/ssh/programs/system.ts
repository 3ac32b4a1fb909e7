import { guestVitals, nodeVitals } from '../../world.ts';
import type { Machine } from '../machine.ts';
import type { Process, Program } from '../proc.ts';
import { df } from './df.ts';

const print =
  (text: (machine: Machine, args: readonly string[]) => string): Program =>
  (args, { machine, out }) => {
    out(text(machine, args));
    return 0;
  };

/** What tells about the machine: hostname, uname, uptime, free, df, nproc, ip and the like. */
export const systemPrograms: Record<string, Program> = {
  hostname: print(({ hostname, guest, node }, [option]) => {
    if (option === '-I') return `${guest?.address.split('/')[0] ?? node.ip} \n`;
    return `${hostname}${option === '-f' ? '.home.arpa' : ''}\n`;
  }),
  uname: print(({ hostname, node, guest }, [option]) => {
    // A container runs on its node's kernel, a VM on its own.
    const kernel = guest?.kind === 'qemu' ? '6.12.48' : node.kernel;
    const all = `Linux ${hostname} ${kernel} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n`;
    const one: Readonly<Record<string, string>> = {
      '-r': kernel,
      '-n': hostname,
      '-m': 'x86_64',
      '-a': all.trimEnd(),
    };
    return `${one[option ?? ''] ?? 'Linux'}\n`;
  }),
  nproc: print((machine) => `${cpus(machine)}\n`),
  'systemd-detect-virt': print(({ guest }) => (guest ? `${guest.kind === 'lxc' ? 'lxc' : 'kvm'}\n` : 'none\n')),
  uptime,
  free,
  df,
  ip,
};

const cpus = ({ guest, node }: Machine): number => (guest ? Number(guest.config.cores) : node.cpus);

const loads = ({ guest, node }: Machine): string => {
  const load = guest ? guest.load.cpu : node.load;
  return [load, load * 0.94, load * 0.87].map((value) => value.toFixed(2)).join(', ');
};

function uptime(args: readonly string[], { machine, out }: Process): number {
  const now = machine.world.now();
  const minutes = Math.floor((now - machine.bootedAt()) / 60_000);
  const days = Math.floor(minutes / 1440);
  const clock = `${Math.floor((minutes % 1440) / 60)}:${String(minutes % 60).padStart(2, '0')}`;
  if (args.includes('-p'))
    out(`up ${days} days, ${Math.floor((minutes % 1440) / 60)} hours, ${minutes % 60} minutes\n`);
  else
    out(
      ` ${new Date(now).toISOString().slice(11, 19)} up ${days > 0 ? `${days} days, ` : ''}${clock},  1 user,  load average: ${loads(machine)}\n`,
    );
  return 0;
}

function free(args: readonly string[], { machine, out }: Process): number {
  const { guest, node, world } = machine;
  const total = guest ? Number(guest.config.memory) * 1024 ** 2 : node.memory;
  const swap = guest ? Number(guest.config.swap) * 1024 ** 2 : node.swap;
  const used = guest ? guestVitals(guest, world.now()).memory : nodeVitals(node, world.guests, world.now()).memory;
  const cache = Math.floor((total - used) * 0.4);
  const shown = (bytes: number) => amount(bytes, args).padStart(12);
  const row = (name: string, ...cells: readonly number[]) => `${name.padEnd(7)} ${cells.map(shown).join('')}\n`;
  out('               total        used        free      shared  buff/cache   available\n');
  out(row('Mem:', total, used, total - used - cache, 48 * 1024 ** 2, cache, total - used));
  out(row('Swap:', swap, 0, swap));
  return 0;
}

/** Bytes in the unit that the options ask for: `-h`, `-g`, `-m`, `-b`, else KiB. */
function amount(bytes: number, args: readonly string[]): string {
  const flags = args.filter((arg) => /^-[a-z]+$/i.test(arg)).join('');
  if (flags.includes('b')) return String(bytes);
  if (flags.includes('m')) return String(Math.floor(bytes / 1024 ** 2));
  if (flags.includes('g')) return String(Math.floor(bytes / 1024 ** 3));
  if (!flags.includes('h')) return String(Math.floor(bytes / 1024));
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${'BKMGT'[power]}${'i'}`;
}

/** `ip addr`, `ip -4 addr`, `ip -br addr`, `ip route`. */
function ip(args: readonly string[], { machine, out, err }: Process): number {
  const { guest, node } = machine;
  const [device, address] = guest ? ['eth0', guest.address] : ['vmbr0', `${node.ip}/24`];
  const words = args.filter((arg) => !arg.startsWith('-'));
  const object = words[0] ?? '';
  if (/^r(oute)?$/.test(object)) {
    out(
      `default via 192.168.2.1 dev ${device} proto static\n192.168.2.0/24 dev ${device} proto kernel scope link src ${address.split('/')[0]}\n`,
    );
    return 0;
  }
  if (!/^a(ddr(ess)?)?$/.test(object)) {
    err(`Object "${object}" is unknown, try "ip help".\n`);
    return 1;
  }
  if (args.includes('-br') || args.includes('-brief')) {
    out(`lo               UNKNOWN        127.0.0.1/8 \n${device.padEnd(16)} UP             ${address} \n`);
    return 0;
  }
  out(
    '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n',
  );
  out(
    `2: ${device}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000\n    inet ${address} brd 192.168.2.255 scope global ${device}\n       valid_lft forever preferred_lft forever\n`,
  );
  return 0;
}
