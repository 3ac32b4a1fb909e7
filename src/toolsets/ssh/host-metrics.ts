import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { asFailure, Failure } from '../../failure.ts';
import { answer, RemoteText } from '../../present/answer.ts';
import { count, percent } from '../format.ts';
import { target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { networkSeen, processesSeen } from './metrics-activity.ts';
import { disksSeen, poolsSeen } from './metrics-disks.ts';
import { clockSeen, failuresSeen, sensorsSeen } from './metrics-health.ts';
import { cpuOf, cpuSeen, memoryOf, memorySeen, pressureSeen, samplesOf } from './metrics-load.ts';
import { metricsReading } from './metrics-reading.ts';
import { type Parts, partsOf, together } from './metrics-seen.ts';
import { type Place, placeOf } from './place.ts';
import { lookAt } from './run-at.ts';

/** The host itself waits 2 s at most for what does not answer. */
const TIMEOUT_MS = 15_000;

const LATE =
  'Something did not answer in time, a pool or a network file system perhaps; what comes after it is missing.';

interface Look {
  readonly parts: Parts;
  /** The whole of it came. */
  readonly whole: boolean;
  /** Seconds since 1970. */
  readonly before: number;
  readonly after: number;
}

/** What the place tells; what came before the timeout is better than nothing. */
async function look(place: Place, top: number, context: ToolContext): Promise<Look> {
  const mark = randomBytes(16).toString('hex');
  const before = Date.now() / 1000;
  const told = await lookAt(place, metricsReading, [mark, String(top)], { timeoutMs: TIMEOUT_MS }, context).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const { kind, facts } = asFailure(error);
      if (kind !== 'timeout' || !(facts.stdout instanceof RemoteText)) throw error;
      return facts.stdout;
    },
  );
  const parts = partsOf(told.text, mark);
  return { parts, whole: parts.has('end'), before, after: Date.now() / 1000 };
}

export default defineSshTool({
  name: 'ssh_host_metrics',
  title: 'Measure a host or guest',
  effect: 'read',
  core: true,
  summary:
    'Measure a host, container or VM over a second: CPU, load, memory, disks, network, top processes, pressure, ' +
    'temperatures, ZFS, failed units, clock, and what needs attention.',
  search: 'health performance top htop free df iostat uptime ram swap slow busy oom sensors zpool inode bandwidth',
  input: {
    target: target.optional(),
    summary: z.boolean().optional().describe('Without processes and network.'),
    top: z.number().int().min(1).max(20).default(5).describe('So many processes.'),
  },

  async run({ target, summary, top }, context) {
    const place = await placeOf(target, context);
    const { parts, whole, before, after } = await look(place, summary ? 0 : top, context);
    const samples = samplesOf(parts);
    if (samples === undefined) throw noProc(place.label);
    const { facts, attention } = together([
      cpuSeen(parts, samples),
      memorySeen(parts),
      pressureSeen(parts),
      disksSeen(parts),
      poolsSeen(parts),
      sensorsSeen(parts),
      failuresSeen(parts),
      clockSeen(parts, before, after),
      ...(summary ? [] : [networkSeen(samples), processesSeen(parts, samples)]),
    ]);
    const cpu = cpuOf(samples);
    const memory = memoryOf(parts);
    const load = [
      ...(cpu ? [`CPU ${percent(cpu.used)}`] : []),
      ...(memory ? [`memory ${percent(memory.used / memory.total)}`] : []),
    ].join(', ');
    const alerts = attention.length > 0 ? `${count(attention.length, 'thing')} to look at` : 'nothing needs attention';
    return answer(`${place.label}: ${load}; ${alerts}`, { attention, ...facts, notes: whole ? undefined : [LATE] });
  },
});

const noProc = (label: string): Failure =>
  new Failure(
    'remote-error',
    `${label} tells nothing of its load: it has no /proc of Linux that this login can read.`,
    'Run its own tools with ssh_exec, such as uptime or vmstat.',
  );
