import type { IFileSystem } from 'just-bash';
import type { DemoNode, Guest, JournalLine, Service, World } from '../world.ts';
import { guestWorkers, liveFiles, livePaths, nodeWorkers, type Worker, withLive } from './live.ts';
import type { Entry } from './table.ts';

/** A place where programs run: a node, or a running guest of one. */
export interface Machine {
  readonly world: World;
  readonly hostname: string;
  /** The node that it is, or that it runs on. */
  readonly node: DemoNode;
  /** The guest that it is; and the machine of the node around it, which sees what runs in a container. */
  readonly guest?: Guest;
  readonly outside?: Machine;
  /** Its own memory-backed files; there is no way from here to a real file. */
  readonly fs: IFileSystem;
  readonly services: Service[];
  readonly journal: JournalLine[];
  /** Epoch milliseconds. */
  bootedAt(): number;
  readonly processes: Map<number, Entry>;
  /** A process id that was not used yet. */
  nextPid(): number;
}

/** The machines of a datacentre, each made when it is first asked for. */
export interface Machines {
  node(name: string): Machine;
  /** The container's inside; its files outlive a restart, its processes do not. */
  container(guest: Guest): Machine;
  /** The same of a VM. */
  vm(guest: Guest): Machine;
}

/** All machines of `world`, whose files `disk` keeps. */
export function machinesOf(world: World, disk: (files: Record<string, string>) => IFileSystem): Machines {
  const made = new Map<string, Machine>();
  const once = (
    key: string,
    parts: () => { readonly files: Record<string, string>; readonly workers: readonly Worker[] },
    make: (fs: IFileSystem) => Machine,
  ): Machine => {
    const known = made.get(key);
    if (known) return known;
    const { files, workers } = parts();
    const fs = disk({ ...files, ...livePaths(workers) });
    const machine = make(fs);
    withLive(fs, liveFiles(machine, workers));
    made.set(key, machine);
    return machine;
  };
  let lastPid = 2_400_000;
  const nextPid = () => {
    lastPid += 1;
    return lastPid;
  };
  const node = (name: string) =>
    once(
      name,
      () => ({ files: nodeFiles(world, name), workers: nodeWorkers(world, nodeOf(world, name)) }),
      (fs) => ({ ...nodeFacts(world, name), world, fs, processes: new Map(), nextPid }),
    );
  const inside = (guest: Guest) => ({ files: files(hostnameOf(guest), guest.os), workers: guestWorkers(guest) });
  const container = (guest: Guest) =>
    once(
      `ct/${guest.vmid}`,
      () => inside(guest),
      (fs) => ({
        ...guestFacts(guest),
        world,
        fs,
        processes: new Map(),
        nextPid,
        // Looked up each time: a container can be moved.
        get outside() {
          return node(guest.node);
        },
        get node() {
          return nodeOf(world, guest.node);
        },
      }),
    );
  const vm = (guest: Guest) =>
    once(
      `vm/${guest.vmid}`,
      () => inside(guest),
      (fs) => ({
        ...guestFacts(guest),
        world,
        fs,
        processes: new Map(),
        nextPid,
        get node() {
          return nodeOf(world, guest.node);
        },
      }),
    );
  return { node, container, vm };
}

function nodeOf(world: World, name: string): DemoNode {
  const node = world.node(name);
  if (node === undefined) throw new Error(`the demo has no node ${name}`);
  return node;
}

function nodeFacts(world: World, name: string) {
  const node = nodeOf(world, name);
  return { hostname: name, node, services: node.services, journal: node.journal, bootedAt: () => node.bootedAt };
}

const hostnameOf = ({ config }: Guest): string => String(config.hostname ?? config.name);

const guestFacts = (guest: Guest) => ({
  hostname: hostnameOf(guest),
  guest,
  services: guest.services,
  journal: guest.journal,
  bootedAt: () => guest.startedAt,
});

function nodeFiles(world: World, name: string): Record<string, string> {
  const hosts = world.nodes.map(({ ip, name: host }) => `${ip} ${host}.home.arpa ${host}\n`);
  const chip = '/sys/class/hwmon/hwmon0';
  return {
    ...files(name, 'Debian GNU/Linux 13 (trixie)'),
    '/etc/hosts': `127.0.0.1 localhost\n${hosts.join('')}`,
    [`${chip}/name`]: 'k10temp\n',
    [`${chip}/temp1_label`]: 'Tctl\n',
    [`${chip}/temp1_input`]: '61375\n',
    [`${chip}/temp1_crit`]: '95000\n',
  };
}

const files = (hostname: string, os: string): Record<string, string> => ({
  '/etc/hostname': `${hostname}\n`,
  '/etc/os-release': `PRETTY_NAME="${os}"\nID=debian\n`,
  '/run/systemd/system/.keep': '',
  '/proc/1/comm': 'systemd\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nwww-data:x:33:\n',
  '/root/.bashrc': '# ~/.bashrc\n',
  '/dev/null': '',
  '/proc/self/environ': '',
  '/proc/pressure/cpu': 'some avg10=1.20 avg60=0.90 avg300=0.85 total=911\n',
  '/proc/pressure/io': 'some avg10=0.00 avg60=0.10 avg300=0.12 total=411\n',
  '/proc/pressure/memory': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  '/proc/vmstat': 'oom_kill 0\n',
  '/tmp/.keep': '',
  '/var/log/.keep': '',
});
