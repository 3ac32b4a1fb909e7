import { createHash } from 'node:crypto';
import { wander } from '../../world/vitals.ts';
import { type Guest, guestVitals } from '../../world.ts';

const MiB = 1024 ** 2;
const sizes: Readonly<Record<string, number>> = { K: 1024, M: MiB, G: 1024 * MiB, T: 1024 ** 2 * MiB };

export const guestName = (guest: Guest): string =>
  String(guest.config.hostname ?? guest.config.name ?? `${guest.kind === 'lxc' ? 'CT' : 'VM'} ${guest.vmid}`);

/** Bytes of the root disk, from its `size=`. */
export function diskSize(guest: Guest): number {
  const found = /size=(\d+)([KMGT])/.exec(
    String(guest.config.rootfs ?? guest.config.scsi0 ?? guest.config.virtio0 ?? ''),
  );
  return found ? Number(found[1]) * (sizes[found[2] ?? ''] ?? 1) : 0;
}

const cpus = (guest: Guest): number => Number(guest.config.cores ?? 1) * Number(guest.config.sockets ?? 1);
const memory = (guest: Guest): number => Number(guest.config.memory ?? 512) * MiB;

const marks = (guest: Guest) => ({
  ...(guest.config.tags === undefined ? {} : { tags: guest.config.tags }),
  ...(guest.lock === undefined ? {} : { lock: guest.lock }),
});

/** A guest's columns in /cluster/resources (recording j-resources-vm). */
export function guestNumbers(guest: Guest, now: number) {
  const { cpu, memory: mem, disk, uptime, netin, netout, diskread, diskwrite } = guestVitals(guest, now);
  return {
    cpu,
    disk,
    diskread,
    diskwrite,
    maxcpu: cpus(guest),
    maxdisk: diskSize(guest),
    maxmem: memory(guest),
    mem,
    memhost: guest.kind === 'qemu' && guest.status === 'running' ? mem + 96 * MiB : 0,
    name: guestName(guest),
    netin,
    netout,
    status: guest.status,
    uptime,
    vmid: guest.vmid,
    ...marks(guest),
  };
}

const pressures = ['cpufull', 'cpusome', 'iofull', 'iosome', 'memoryfull', 'memorysome'] as const;

/** Pressures are strings for a container and numbers for a VM (recordings l-status, d-vm-status). */
function pressure(guest: Guest, now: number): Record<string, string | number> {
  const value = (i: number) => (i === 1 ? Number(wander(0.3, 0.9, guest.vmid, now).toFixed(2)) : 0);
  return Object.fromEntries(
    pressures.map((name, i) => [`pressure${name}`, guest.kind === 'lxc' ? value(i).toFixed(2) : value(i)]),
  );
}

/** A guest's columns in /nodes/N/lxc and /nodes/N/qemu, and the most of status/current. */
export function guestStatus(guest: Guest, now: number) {
  const { maxcpu, memhost, disk, ...numbers } = guestNumbers(guest, now);
  const running = guest.status === 'running';
  const common = {
    ...numbers,
    cpus: maxcpu,
    disk,
    ...(guest.template ? { template: 1 } : {}),
    ...(running ? { pid: guest.pid, ...pressure(guest, now) } : {}),
  };
  if (guest.kind === 'qemu') return { ...common, memhost };
  return { ...common, type: 'lxc', swap: 0, maxswap: Number(guest.config.swap ?? 512) * MiB };
}

/** status/current: what the list has, and what only a single guest shows. */
export function guestCurrent(guest: Guest, now: number) {
  const status = { ...guestStatus(guest, now), ha: { managed: 0 } };
  if (guest.kind === 'lxc') return status;
  const running = guest.status === 'running';
  const { netin, netout } = status;
  return {
    ...status,
    qmpstatus: running && guest.paused ? 'paused' : guest.status,
    ...(/^(1|enabled=1)/.test(String(guest.config.agent)) ? { agent: 1 } : {}),
    ...(running ? { nics: { [`tap${guest.vmid}i0`]: { netin, netout } } } : {}),
  };
}

/** SHA-1 of what would be the configuration file. */
export function digestOf(guest: Guest): string {
  const { config, pending, lock, snapshots } = guest;
  return createHash('sha1')
    .update(JSON.stringify([config, pending, lock, snapshots]))
    .digest('hex');
}
