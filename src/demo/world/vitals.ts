import type { DemoNode, Guest } from '../world.ts';

/** What is measured of a guest or a node. Shares from 0 to 1, bytes, seconds; counters since its start. */
export interface Vitals {
  readonly cpu: number;
  readonly memory: number;
  readonly disk: number;
  readonly uptime: number;
  readonly netin: number;
  readonly netout: number;
  readonly diskread: number;
  readonly diskwrite: number;
}

const idle: Vitals = { cpu: 0, memory: 0, disk: 0, uptime: 0, netin: 0, netout: 0, diskread: 0, diskwrite: 0 };

/** A number that wanders by up to `share` around `base`, the same for the same `seed` and time. */
export function wander(base: number, share: number, seed: number, at: number): number {
  const t = at / 1000 + seed * 7919;
  return base * (1 + share * (0.6 * Math.sin(t / 11) + 0.4 * Math.sin(t / 3.7)));
}

/** Everything is 0 for a guest that does not run, except the disk of a container. */
export function guestVitals(guest: Guest, now: number): Vitals {
  if (guest.status !== 'running') return idle;
  const uptime = Math.max(1, Math.floor((now - guest.startedAt) / 1000));
  const cpu = guest.paused ? 0 : wander(guest.load.cpu, 0.4, guest.vmid, now);
  return {
    cpu,
    memory: Math.floor(wander(guest.load.memory, 0.03, guest.vmid, now)),
    disk: guest.kind === 'lxc' ? Math.floor(guest.load.disk) : 0,
    uptime,
    netin: 1_900_000 + uptime * 3_217,
    netout: 310_000 + uptime * 1_103,
    diskread: 127_492_096 + uptime * 512,
    diskwrite: 4_374_528 + uptime * 4_096,
  };
}

/** A node's numbers include what its guests use. */
export function nodeVitals(node: DemoNode, guests: readonly Guest[], now: number): Vitals {
  const own = guests.filter((guest) => guest.node === node.name && guest.status === 'running');
  const used = own.reduce((sum, guest) => sum + guestVitals(guest, now).memory, 0);
  const uptime = Math.max(1, Math.floor((now - node.bootedAt) / 1000));
  return {
    ...idle,
    cpu: wander(node.load / node.cpus, 0.3, node.id, now),
    memory: Math.floor(Math.min(node.memory * 0.97, used + node.memory * 0.09)),
    disk: node.rootfs.used,
    uptime,
    netin: 9_000_000 + uptime * 20_480,
    netout: 4_000_000 + uptime * 9_216,
  };
}
