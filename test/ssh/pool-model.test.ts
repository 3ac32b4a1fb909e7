import { readdirSync, readlinkSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { CommandResult, HostSpec, Ssh } from '../../src/ssh/client.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { counted } from '../counts.ts';
import { figure, listed } from '../figures.ts';
import { type FaultProxy, startProxy, type Way } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { hostOf, lines, newFile, poolFor } from './commands.ts';

const SESSIONS = [1, 2, 10] as const;
let servers: Map<number, Sshd>;
beforeAll(async () => {
  servers = new Map();
  for (const maxSessions of SESSIONS) servers.set(maxSessions, await startSshd({ maxSessions }));
});
afterAll(async () => {
  for (const server of servers?.values() ?? []) await server.stop();
});

/** A command that was given to the product, and what may become of it. */
interface Given {
  readonly id: number;
  readonly short: boolean;
  readonly abort: AbortController;
  aborted?: true;
  over?: { readonly end: CommandResult | Error; readonly troubled: boolean };
}

/** What happened so far. */
interface Course {
  readonly maxSessions: number;
  readonly given: Given[];
  /** Something happened to the connection since all was settled; what of it is felt later is a part of it. */
  troubled: boolean;
  closed: boolean;
  /** The most channels that were open at once; whether anything may have been ended, for which there are others. */
  mostOpen: number;
  ended: boolean;
}

interface Real {
  readonly ssh: Ssh;
  readonly proxy: FaultProxy;
  readonly server: Sshd;
  readonly host: HostSpec;
  /** Each command that runs writes its number here. */
  readonly file: string;
}

/** What each kind of end says, held to what happened. */
function judge(course: Course, { id, aborted, short, over }: Given, runs: number): string {
  expect(over, `command ${id} is over`).toBeDefined();
  expect(runs, `runs of ${id}`).toBeLessThanOrEqual(1);
  if (!over) return 'not over';
  const { end } = over;
  if (!(end instanceof Error)) {
    expect(end).toMatchObject({ exitCode: id % 200, stdout: { text: `answer ${id}\n` }, stderr: { text: '' } });
    expect(runs).toBe(1);
    return 'exact';
  }
  expect(end, `${id}: ${end.stack}`).toBeInstanceOf(Failure);
  const { kind, message } = end as Failure;
  const why = `${id}: ${kind}: ${message}`;
  if (kind === 'unreachable') expect(runs, why).toBe(0);
  if (kind === 'timeout') expect(short || over.troubled, why).toBe(true);
  else if (kind === 'cancelled') expect(aborted || course.closed, why).toBe(true);
  else {
    expect(['unreachable', 'outcome-unknown'], why).toContain(kind);
    // What is cancelled on its way may be of unknown outcome too, without any trouble.
    expect(over.troubled || aborted || course.closed, why).toBe(true);
  }
  return kind;
}

type Step = fc.AsyncCommand<Course, Real>;
const step = (name: string, run: (course: Course, real: Real) => unknown, may = (_: Course) => true): Step => ({
  check: may,
  async run(course, real) {
    await run(course, real);
    course.mostOpen = Math.max(course.mostOpen, real.ssh.connection(real.host).openChannels);
  },
  toString: () => name,
});
const open = ({ closed }: Course) => !closed;
const trouble = (name: string, make: (real: Real) => void) =>
  step(name, (course, real) => {
    course.troubled = true;
    course.ended = true;
    make(real);
  });

const runs = (count: number, ms: number, short: boolean) =>
  step(`${count} times run(${ms} ms${short ? ', at most 150' : ''})`, (course, { ssh, host, file }) => {
    for (let i = 0; i < count; i++) {
      const id = course.given.length;
      const given: Given = { id, short, abort: new AbortController() };
      course.given.push(given);
      course.ended ||= short;
      const script = `echo ${id} >>${file}; sleep ${ms / 1_000}; echo answer ${id}; exit ${id % 200}`;
      const end = (value: CommandResult | Error) => {
        given.over = { end: value, troubled: course.troubled };
      };
      ssh.run(host, { script, timeoutMs: short ? 150 : 30_000 }, { signal: given.abort.signal }).then(end, end);
    }
  });
const cancel = (which: number) =>
  step(
    `cancel(${which})`,
    (course) => {
      const given = course.given[which % course.given.length];
      if (!given || given.over) return;
      course.ended = true;
      given.aborted = true;
      given.abort.abort();
    },
    ({ given }) => given.length > 0,
  );
const pass = (ms: number) => step(`wait(${ms})`, () => new Promise((resolve) => setTimeout(resolve, ms)));
const close = step(
  'close',
  (course, { ssh }) => {
    course.closed = true;
    return ssh.close();
  },
  open,
);
const settle = step('settle', async (course, { proxy, ssh, host }) => {
  proxy.flow();
  const going = () => course.given.filter(({ over }) => !over);
  await vi.waitFor(() => expect(going()).toEqual([]), { timeout: 25_000, interval: 10 });
  proxy.resetAfter(Number.POSITIVE_INFINITY, 'up');
  proxy.cut();
  await vi.waitFor(() => expect(ssh.connection(host).state).toBe('idle'), { timeout: 5_000, interval: 5 });
  // A connection may be in the making, and fail for what was done to it.
  if (!course.closed) await vi.waitFor(() => ssh.run(host, { script: 'true', timeoutMs: 10_000 }), 10_000);
  course.troubled = false;
});

const steps = [
  fc.tuple(fc.constantFrom(1, 3, 15), fc.constantFrom(0, 60), fc.constant(false)).map((given) => runs(...given)),
  fc.constant(runs(2, 0, false)),
  fc.constant(runs(1, 20_000, true)),
  fc.nat(40).map(cancel),
  fc.constantFrom(5, 60, 200).map(pass),
  fc.constant(trouble('cut', ({ proxy }) => proxy.cut())),
  fc.constantFrom<Way>('up', 'down').map((way) => trouble(`half-close(${way})`, ({ proxy }) => proxy.halfClose(way))),
  fc
    .tuple(fc.integer({ min: 0, max: 6_000 }), fc.constantFrom<Way>('up', 'down'))
    .map(([n, way]) => trouble(`reset(${n}, ${way})`, ({ proxy }) => proxy.resetAfter(n, way))),
  fc.constant(trouble('kill', ({ server }) => server.killSessions())),
  fc.constant(trouble('stall', ({ proxy }) => proxy.stall())),
  fc.constant(step('flow', (_, { proxy }) => proxy.flow())),
  fc.constantFrom(7, 4_096).map((bytes) => step(`slice(${bytes})`, (_, { proxy }) => proxy.slice(bytes))),
  fc.constant(settle),
  fc.constant(close),
];

async function start(maxSessions: number): Promise<{ model: Course; real: Real }> {
  const server = servers.get(maxSessions) as Sshd;
  const proxy = await startProxy(server);
  const ssh = createSsh(poolFor(server, { keepaliveMs: 700 }));
  const host = hostOf(server, { port: proxy.port, limits: { connectsPerMinute: 10_000 } });
  return {
    model: { maxSessions, given: [], troubled: false, closed: false, mostOpen: 0, ended: false },
    real: { ssh, proxy, server, host, file: newFile() },
  };
}

/** Sockets of this process. */
const sockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

describe('guarantees 1, 2 and 4: whatever happens to many commands and their connection', () => {
  const COURSES = counted(400, 16);

  it(`each runs at most once and is told as it was, in ${COURSES} courses`, { timeout: 3_600_000 }, async () => {
    const ends: Record<string, number> = {};
    const course = async (maxSessions: number, commands: Iterable<Step>) => {
      const { model, real } = await start(maxSessions);
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await settle.run(model, real);
        const ran = lines(real.file).map(Number);
        for (const given of model.given) {
          const end = judge(model, given, ran.filter((id) => id === given.id).length);
          ends[end] = (ends[end] ?? 0) + 1;
        }
        // One connection has 8 at most. A second one is opened where few are allowed, and others for ending commands.
        if (!model.ended) expect(model.mostOpen).toBeLessThanOrEqual(maxSessions > 2 ? 8 : 4);
      } finally {
        await real.ssh.close();
        await real.proxy.stop();
      }
    };
    await course(10, [runs(3, 0, false)]);
    const before = sockets();
    const property = fc.asyncProperty(
      fc.constantFrom(...SESSIONS),
      fc.commands(steps, { maxCommands: 14, size: 'max' }),
      course,
    );
    await fc.assert(property, { numRuns: COURSES, endOnFailure: true });
    // One that each course left would be many.
    await vi.waitFor(() => expect(sockets()).toBeLessThanOrEqual(before + 2), 5_000);
    figure(2, `${COURSES} courses of cuts, stalls, kills and cancels: ${listed(ends)}; none ran twice`);
  });
});
