import type { IFileSystem } from 'just-bash';
import type { DemoNode, Guest, JournalLine, Service, World } from '../world.ts';
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
  const once = (key: string, make: () => Machine): Machine => {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known;
  };
  let lastPid = 2_400_000;
  const nextPid = () => {
    lastPid += 1;
    return lastPid;
  };
  const node = (name: string) =>
    once(name, () => ({
      ...nodeFacts(world, name),
      world,
      fs: disk(nodeFiles(world, name)),
      processes: new Map(),
      nextPid,
    }));
  const container = (guest: Guest) =>
    once(`ct/${guest.vmid}`, () => ({
      ...guestFacts(guest),
      world,
      fs: disk(files(hostnameOf(guest), guest.os)),
      processes: new Map(),
      nextPid,
      // Looked up each time: a container can be moved.
      get outside() {
        return node(guest.node);
      },
      get node() {
        return nodeOf(world, guest.node);
      },
    }));
  const vm = (guest: Guest) =>
    once(`vm/${guest.vmid}`, () => ({
      ...guestFacts(guest),
      world,
      fs: disk(files(hostnameOf(guest), guest.os)),
      processes: new Map(),
      nextPid,
      get node() {
        return nodeOf(world, guest.node);
      },
    }));
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
  return { ...files(name, 'Debian GNU/Linux 13 (trixie)'), '/etc/hosts': `127.0.0.1 localhost\n${hosts.join('')}` };
}

const files = (hostname: string, os: string): Record<string, string> => ({
  '/etc/hostname': `${hostname}\n`,
  '/etc/os-release': `PRETTY_NAME="${os}"\nID=debian\n`,
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n',
  '/etc/group': 'root:x:0:\nwww-data:x:33:\n',
  '/root/.bashrc': '# ~/.bashrc\n',
  '/dev/null': '',
  '/proc/self/environ': '',
  '/tmp/.keep': '',
  '/var/log/.keep': '',
});
