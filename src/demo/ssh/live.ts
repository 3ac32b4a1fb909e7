import type { IFileSystem } from 'just-bash';
import { type DemoNode, type Guest, guestVitals, nodeVitals, type World } from '../world.ts';
import type { Machine } from './machine.ts';
import { disksOf } from './programs/df.ts';

/** Files of the kernel, by path: what is in them is made when they are read. */
export type LiveFiles = Readonly<Record<string, () => string>>;

/** A disk on which those files are read anew each time. */
export function withLive(disk: IFileSystem, live: LiveFiles): IFileSystem {
  const { readFile, readFileBytes, readFileBuffer } = disk;
  if (readFileBytes === undefined) throw new Error('the demo needs a disk that gives bytes');
  const fresh = async (path: string) => {
    const text = live[path]?.();
    if (text !== undefined) await disk.writeFile(path, text);
  };
  disk.readFile = async (path, options) => {
    await fresh(path);
    return readFile.call(disk, path, options);
  };
  disk.readFileBytes = async (path) => {
    await fresh(path);
    return readFileBytes.call(disk, path);
  };
  disk.readFileBuffer = async (path) => {
    await fresh(path);
    return readFileBuffer.call(disk, path);
  };
  return disk;
}

/** Paths of the files that `liveFiles` gives for a machine with these processes. */
export const livePaths = (processes: readonly Worker[]): Record<string, string> => ({
  ...Object.fromEntries(
    ['loadavg', 'meminfo', 'mounts', 'net/dev', 'stat', 'uptime'].map((name) => [`/proc/${name}`, '']),
  ),
  ...Object.fromEntries(
    processes.flatMap(({ pid }) => [`/proc/${pid}/stat`, `/proc/${pid}/cgroup`].map((p) => [p, ''])),
  ),
});

/** A process that works all the time; `cpu` is ticks a quarter of a second, `memory` bytes. */
export interface Worker {
  readonly pid: number;
  readonly name: string;
  readonly group: string;
  readonly runs: () => boolean;
  readonly cpu: number;
  readonly memory: number;
}

const MiB = 1024 ** 2;

/** What works on a node: its VMs, and the daemons of Proxmox VE. */
export function nodeWorkers({ guests }: World, node: DemoNode): Worker[] {
  const vms = guests.filter(({ kind, node: at }) => kind === 'qemu' && at === node.name);
  return [
    ...vms.map((vm) => ({
      pid: vm.pid,
      name: 'kvm',
      group: `/qemu.slice/${vm.vmid}.scope`,
      runs: () => vm.status === 'running' && vm.node === node.name,
      cpu: Math.round(vm.load.cpu * Number(vm.config.cores) * 25),
      memory: vm.load.memory,
    })),
    ...services(node, /^pve(daemon|proxy|statd)$/, 140 * MiB),
  ];
}

/** What works in a guest: its services. */
export const guestWorkers = (guest: Guest): Worker[] => services(guest, /./, guest.load.memory / 2);

const services = ({ services: all }: Pick<Guest, 'services'>, named: RegExp, memory: number): Worker[] =>
  all
    .filter(({ name }) => named.test(name))
    .map((service) => ({
      pid: service.pid,
      name: service.name,
      group: `/system.slice/${service.name}.service`,
      runs: () => service.state === 'running',
      cpu: 1,
      memory,
    }));

/**
 * The counters of a machine. They stand still between two looks at /proc/uptime, and go in steps of a quarter of a
 * second: what is measured over a second is the same each time.
 */
export function liveFiles(machine: Machine, workers: readonly Worker[]): LiveFiles {
  const start = performance.now();
  let quarters = 0;
  const seconds = () => Math.floor((machine.world.now() - machine.bootedAt()) / 1000) + quarters / 4;
  const own = workers.map((worker): [string, () => string][] => [
    [`/proc/${worker.pid}/stat`, () => (worker.runs() ? statOf(worker, quarters) : '')],
    [`/proc/${worker.pid}/cgroup`, () => (worker.runs() ? `0::${worker.group}\n` : '')],
  ]);
  return {
    ...Object.fromEntries(own.flat()),
    '/proc/uptime': () => {
      quarters = Math.floor((performance.now() - start) / 250);
      return `${seconds().toFixed(2)} ${(seconds() * 0.9).toFixed(2)}\n`;
    },
    '/proc/loadavg': () => `${loadsOf(machine).join(' ')} 1/412 2400000\n`,
    '/proc/meminfo': () => meminfo(machine),
    '/proc/mounts': () =>
      disksOf(machine)
        .map(({ device, folder, type }) => `${device} ${folder} ${type} rw,relatime 0 0\n`)
        .join(''),
    '/proc/stat': () => stat(machine, quarters),
    '/proc/net/dev': () => netDev(machine, quarters),
  };
}

const cpusOf = ({ guest, node }: Machine): number => (guest ? Number(guest.config.cores) : node.cpus);

const loadsOf = ({ guest, node }: Machine): string[] => {
  const load = guest ? guest.load.cpu : node.load;
  return [load, load * 0.94, load * 0.87].map((value) => value.toFixed(2));
};

/** proc_pid_stat(5): utime and stime are the 12th and 13th field after the name, the resident pages the 22nd. */
function statOf({ pid, name, cpu, memory }: Worker, quarters: number): string {
  const fields = [1, pid, pid, 0, -1, ...Array(5).fill(0), cpu * quarters, 0, ...Array(6).fill(0), 900, 0];
  return `${pid} (${name}) S ${fields.join(' ')} ${Math.floor(memory / 4096)} ${Array(28).fill(0).join(' ')}\n`;
}

function stat(machine: Machine, quarters: number): string {
  const cpus = cpusOf(machine);
  const all = cpus * 25;
  const { guest, node } = machine;
  const busy = Math.round(all * (guest ? guest.load.cpu : node.load / node.cpus));
  const system = Math.round(busy / 4);
  const ticks = [busy - system, 0, system, all - busy, 0, 0, 0, 0, 0, 0].map((each) => each * quarters);
  const rows = ['cpu ', ...Array.from({ length: cpus }, (_, i) => `cpu${i}`)];
  return rows.map((row, i) => `${row} ${ticks.map((n) => (i === 0 ? n : Math.floor(n / cpus))).join(' ')}\n`).join('');
}

function meminfo({ guest, node, world }: Machine): string {
  const total = guest ? Number(guest.config.memory) * 1024 ** 2 : node.memory;
  const swap = guest ? Number(guest.config.swap ?? 0) * 1024 ** 2 : node.swap;
  const now = world.now();
  const used = guest ? guestVitals(guest, now).memory : nodeVitals(node, world.guests, now).memory;
  const cache = Math.floor((total - used) * 0.4);
  const row = (name: string, bytes: number) => `${`${name}:`.padEnd(16)} ${Math.floor(bytes / 1024)} kB\n`;
  const rows = {
    MemTotal: total,
    MemFree: total - used - cache,
    MemAvailable: total - used,
    Buffers: 0,
    Cached: cache,
  };
  return [...Object.entries({ ...rows, SwapTotal: swap, SwapFree: swap })].map(([name, n]) => row(name, n)).join('');
}

function netDev({ guest }: Machine, quarters: number): string {
  const row = (name: string, received: number, sent: number) =>
    `${name.padStart(8)}: ${received} ${Math.floor(received / 900)} 0 0 0 0 0 0 ${sent} ${Math.floor(sent / 900)} 0 0 0 0 0 0\n`;
  const head =
    'Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes\n';
  const [received, sent] = guest ? [3_328, 1_024] : [20_480, 9_216];
  return `${head}${row('lo', 900_000, 900_000)}${row(guest ? 'eth0' : 'vmbr0', 9_000_000 + received * quarters, 4_000_000 + sent * quarters)}`;
}
