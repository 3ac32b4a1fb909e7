import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import { num } from '../../pve/fields.ts';
import { findGuest, type Guest, readGuest } from '../../pve/guests.ts';
import { type PvePath, path } from '../../pve/path.ts';
import { bytes, duration } from '../format.ts';
import { guest, node } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { eachNode } from './nodes.ts';
import { findPlaces } from './places.ts';
import { seriesFacts, type Unit } from './series.ts';

const rowShape = z.record(z.string(), z.unknown()).transform((row) => {
  const numbers = Object.entries(row).map(([name, value]) => [name, num.parse(value)] as const);
  return Object.fromEntries(numbers.filter(([, value]) => value !== undefined)) as Record<string, number>;
});
type Row = z.infer<typeof rowShape>;

interface Series {
  readonly name: string;
  readonly field: string;
  readonly unit: Unit;
  /** The field that holds its limit. */
  readonly of?: string;
  /** What one of the field's own units is in ours. */
  readonly times?: number;
}

const pressure: readonly Series[] = ['cpusome', 'iosome', 'iofull', 'memorysome', 'memoryfull'].map((what) => ({
  name: `pressure_${what.replace(/(some|full)$/, '_$1')}`,
  field: `pressure${what}`,
  unit: 'percent',
  times: 0.01,
}));
const network: readonly Series[] = [
  { name: 'network_in', field: 'netin', unit: 'bytes/s' },
  { name: 'network_out', field: 'netout', unit: 'bytes/s' },
];

/** What the fields of rrddata are (pve-cluster, PVE/RRD.pm; recordings c-nrrd and c-rrd); PVE 8 has no pressure. */
const known: Readonly<Record<'node' | 'guest' | 'storage', readonly Series[]>> = {
  node: [
    { name: 'cpu', field: 'cpu', unit: 'percent' },
    { name: 'io_wait', field: 'iowait', unit: 'percent' },
    { name: 'load', field: 'loadavg', unit: 'number' },
    { name: 'memory', field: 'memused', unit: 'bytes', of: 'memtotal' },
    { name: 'swap', field: 'swapused', unit: 'bytes', of: 'swaptotal' },
    { name: 'root_disk', field: 'rootused', unit: 'bytes', of: 'roottotal' },
    { name: 'zfs_cache', field: 'arcsize', unit: 'bytes' },
    ...network,
    ...pressure,
  ],
  guest: [
    { name: 'cpu', field: 'cpu', unit: 'percent' },
    { name: 'memory', field: 'mem', unit: 'bytes', of: 'maxmem' },
    { name: 'memory_on_host', field: 'memhost', unit: 'bytes' },
    { name: 'disk', field: 'disk', unit: 'bytes', of: 'maxdisk' },
    { name: 'disk_read', field: 'diskread', unit: 'bytes/s' },
    { name: 'disk_write', field: 'diskwrite', unit: 'bytes/s' },
    ...network,
    ...pressure,
  ],
  storage: [{ name: 'used', field: 'used', unit: 'bytes', of: 'total' }],
};

/** What is measured, and how its rows are read. */
interface Subject {
  readonly kind: keyof typeof known;
  readonly label: string;
  readonly rows: readonly Row[];
}

const timeframes = ['hour', 'day', 'week', 'month', 'year'] as const;
type Timeframe = (typeof timeframes)[number];

const notOne = (): Failure =>
  new Failure(
    'invalid-input',
    'Name one thing to look at: a node, a guest, or a storage.',
    'A storage that is not shared needs its node too.',
  );

type Reader = Pick<ToolContext, 'pve' | 'signal'>;
type Read = (at: PvePath) => Promise<Row[]>;

async function ofGuest(ref: number | string, { pve, signal }: Reader, read: Read): Promise<Subject> {
  const found = await findGuest(pve, ref, { signal });
  const at = ({ node, kind, vmid }: Guest) => path`/nodes/${node}/${kind}/${vmid}/rrddata`;
  const { guest, value: rows } = await readGuest(pve, found, (there) => read(at(there)), { signal });
  return { kind: 'guest', label: guest.label, rows };
}

async function ofStorage(storage: string, node: string | undefined, context: Reader, read: Read): Promise<Subject> {
  const notes: string[] = [];
  const [place, ...others] = await findPlaces(context, { storage, node }, notes);
  const on = place?.nodes[0];
  if (on === undefined) {
    throw new Failure(
      'unreachable',
      `Storage ${storage} cannot be read now. ${notes.join(' ')}`.trim(),
      'See pve_storage_list.',
    );
  }
  if (others.length > 0) {
    const nodes = [place, ...others].flatMap((one) => one?.nodes ?? []);
    throw new Failure(
      'ambiguous',
      `Storage ${storage} is another one on each of ${nodes.join(', ')}.`,
      'Give its node too.',
    );
  }
  const rows = await read(path`/nodes/${on}/storage/${storage}/rrddata`);
  return { kind: 'storage', label: `Storage ${storage}${node === undefined ? '' : ` on ${node}`}`, rows };
}

async function ofNode(node: string, context: Reader, read: Read): Promise<Subject> {
  const rows = await eachNode(context, node, (name) => read(path`/nodes/${name}/rrddata`), []);
  return { kind: 'node', label: `Node ${node}`, rows };
}

function seriesOf({ kind, rows }: Subject): Facts {
  const entries = known[kind].map(({ name, field, unit, of, times = 1 }) => {
    const points = rows.map((row) => (row[field] === undefined ? undefined : row[field] * times));
    const facts = seriesFacts(points, unit);
    const limit = of === undefined ? undefined : rows.findLast((row) => row[of])?.[of];
    // What is 0 all the time tells nothing: a node without swap, a guest without pressure.
    const idle = points.every((one) => !one);
    return [name, facts && !idle ? { ...facts, of: limit ? bytes(limit) : undefined } : undefined] as const;
  });
  return Object.fromEntries(entries.filter(([, facts]) => facts !== undefined));
}

function told(subject: Subject, timeframe: Timeframe): Answer {
  const { rows, label } = subject;
  const times = rows.flatMap(({ time }) => (time === undefined ? [] : [time]));
  const step = (times.at(-1) ?? 0) - (times.at(-2) ?? 0);
  const measured = rows.filter((row) => Object.keys(row).length > 1).length;
  const cores = rows.findLast(({ maxcpu }) => maxcpu)?.maxcpu;
  const few = measured < rows.length ? `, measured ${measured} of ${rows.length} times` : '';
  return answer(
    measured > 0 ? `${label}, the last ${timeframe}${few}` : `${label}: nothing was measured in the last ${timeframe}`,
    {
      timeframe,
      each_point: step > 0 ? `the mean of ${duration(step)}` : undefined,
      cores,
      series: seriesOf(subject),
      notes: measured > 0 ? undefined : ['It did not run, or is younger than the first measurement.'],
    },
  );
}

export default definePveTool({
  name: 'pve_metrics',
  title: 'Load over time',
  effect: 'read',
  core: true,
  summary:
    "Course of CPU, memory, disk, network and pressure of a node or guest, or of a storage's use: least, mean, " +
    'greatest and last values with a sparkline.',
  search: 'rrd history graph over time trend statistics performance monitoring chart peak average load',
  input: {
    node: node.optional(),
    guest: guest.optional(),
    storage: z.string().min(1).max(100).optional().describe('Storage name.'),
    timeframe: z.enum(timeframes).default('hour').describe('How far back.'),
  },

  async run({ node, guest, storage, timeframe }, context) {
    const { pve, signal } = context;
    const read: Read = (at) => pve.get(at, z.array(rowShape), { timeframe, cf: 'AVERAGE' }, { signal });
    if (guest !== undefined) {
      if (node !== undefined || storage !== undefined) throw notOne();
      return told(await ofGuest(guest, context, read), timeframe);
    }
    if (storage !== undefined) return told(await ofStorage(storage, node, context, read), timeframe);
    if (node === undefined) throw notOne();
    return told(await ofNode(node, context, read), timeframe);
  },
});
