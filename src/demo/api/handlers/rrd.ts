import { type Guest, guestVitals, nodeVitals } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';
import { diskSize } from './guest-rows.ts';

/** Points and seconds between them (pve-cluster, PVE/RRD.pm). */
const frames: Readonly<Record<string, readonly [number, number]>> = {
  hour: [60, 60],
  day: [1440, 60],
  week: [336, 1800],
  month: [1440, 1800],
  year: [1440, 21_600],
  decade: [575, 604_800],
};

/** A point of time has only `time` where nothing was measured. */
function points(call: Call, since: number, measure: (at: number) => Record<string, number>): unknown[] {
  const [count, step] = frames[call.text('timeframe')] ?? [60, 60];
  const end = Math.floor(call.world.now() / 1000 / step) * step;
  return Array.from({ length: count }, (_, i) => {
    const time = end - (count - 1 - i) * step;
    return time * 1000 < since ? { time } : { time, ...measure(time * 1000) };
  });
}

function nodeData(call: Call): unknown[] {
  const { node, world } = call;
  return points(call, node.bootedAt, (at) => {
    const { cpu, memory, disk } = nodeVitals(node, world.guests, at);
    return {
      arcsize: 0,
      cpu,
      iowait: cpu / 90,
      loadavg: cpu * node.cpus,
      maxcpu: node.cpus,
      memavailable: node.memory - memory,
      memtotal: node.memory,
      memused: memory,
      netin: 20_480,
      netout: 9_216,
      pressurecpusome: 0.2,
      pressureiofull: 0,
      pressureiosome: 0.1,
      pressurememoryfull: 0,
      pressurememorysome: 0,
      rootused: disk,
      roottotal: node.rootfs.total,
      swaptotal: node.swap,
      swapused: 0,
    };
  });
}

function guestData(call: Call, kind: Guest['kind']): unknown[] {
  const guest = call.guest(kind);
  const since = guest.status === 'running' ? guest.startedAt : Number.POSITIVE_INFINITY;
  return points(call, since, (at) => {
    const { cpu, memory, disk } = guestVitals(guest, at);
    return {
      cpu,
      disk,
      diskread: 512,
      diskwrite: 4096,
      maxcpu: Number(guest.config.cores ?? 1),
      maxdisk: diskSize(guest),
      maxmem: Number(guest.config.memory ?? 512) * 1024 ** 2,
      mem: memory,
      memhost: memory,
      netin: 3217,
      netout: 1103,
    };
  });
}

/** A storage that fills by a tenth of what it holds, over a year. */
function storageData(call: Call): unknown[] {
  const storage = call.world.storage(call.text('storage'));
  if (storage === undefined) throw new ApiError(500, `storage '${call.text('storage')}' does not exist\n`);
  const now = call.world.now();
  const year = 365 * 86_400_000;
  return points(call, call.node.bootedAt, (at) => ({
    total: storage.total,
    used: storage.used * (1 - (0.1 * (now - at)) / year),
  }));
}

export const rrdHandlers: Handlers = {
  'GET /nodes/{node}/rrddata': nodeData,
  'GET /nodes/{node}/storage/{storage}/rrddata': storageData,
  ...forBoth({ 'GET /nodes/{node}/K/{vmid}/rrddata': guestData }),
};
