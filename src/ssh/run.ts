import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { SHUTDOWN } from '../failure.ts';
import type { Command, CommandResult, HostSpec, RunOptions, Ssh } from './client.ts';
import { type Ending, ending } from './ending.ts';
import type { Keep } from './keep.ts';
import { type Killed, Killer } from './kill.ts';
import { Limits } from './limits.ts';
import { type Output, OutputReader } from './output.ts';
import { Pipes } from './pipes.ts';
import type { Link, Pool } from './pool.ts';
import { neverRan } from './start.ts';
import { lost, type Seen, stopped } from './stopped.ts';
import { sudoStuck } from './sudo.ts';
import { Talk } from './talk.ts';
import { newMarks, type Wrapped, wrap } from './wrap.ts';

interface Run {
  readonly host: HostSpec;
  readonly command: Command;
  readonly wrapped: Wrapped;
  readonly killer: Killer;
  readonly keep: Keep | undefined;
  readonly options: RunOptions;
  readonly signal: AbortSignal;
}

const CLOSE_MS = 1_500;
const LAST_WORDS_MS = 1_000;

/**
 * Runs commands over the connections of a pool. `close` kills what runs, within 1.5 s at most, and then ends the
 * connections.
 */
export function createSsh(pool: Pool, keep?: Keep): Ssh {
  const killer = new Killer(pool);
  const running = new Map<AbortController, Promise<CommandResult>>();
  return {
    async run(host, command, options = {}) {
      const wrapped = wrap(host, command, newMarks());
      const stop = new AbortController();
      const abort = () => stop.abort(options.signal?.reason);
      if (options.signal?.aborted) abort();
      options.signal?.addEventListener('abort', abort, { once: true });
      const run: Run = { host, command, wrapped, killer, keep, options, signal: stop.signal };
      const use = (channel: ClientChannel, link: Link) => attend(run, channel, link);
      const result = pool.withChannel(host, wrapped.line, use, { signal: stop.signal, own: options.own });
      running.set(stop, result);
      return result.finally(() => {
        running.delete(stop);
        options.signal?.removeEventListener('abort', abort);
      });
    },
    connection: (host) => pool.connection(host),
    async close() {
      for (const stop of running.keys()) stop.abort(SHUTDOWN);
      await Promise.race([Promise.allSettled(running.values()), pause(CLOSE_MS)]);
      await pool.close();
    },
  };
}

/** Sees one command through, from the moment the server took it. */
async function attend(run: Run, channel: ClientChannel, link: Link): Promise<CommandResult> {
  const { host, command } = run;
  const start = performance.now();
  const over = ending(channel, link, run.options.streams?.toTheEnd);
  const limits = new Limits(command.timeoutMs, run.signal);
  const { onOutput, output = new OutputReader({ onOutput, keep: run.keep }) } = run.options;
  const { talk, pipes } = connected(run, channel, limits, output);
  const whole = over.then(async (end) => {
    await pipes?.taken;
    return end;
  });
  const why = await Promise.race([whole, limits.reached]);
  const durationMs = Math.round(performance.now() - start);
  limits.clear();
  const settled = async (): Promise<{ said: Output; seen: Seen }> => {
    talk.close();
    await output.end();
    const said = output.output();
    return { said, seen: { ...said, duration_ms: durationMs } };
  };
  try {
    if (why === 'timeout' || why === 'cancelled' || why === 'broken') {
      const killed = await end(run, talk, over);
      if (why === 'broken') throw pipes?.fault;
      throw stopped(host, command, why, killed, (await settled()).seen);
    }
    if (pipes?.fault !== undefined) throw pipes.fault;
    const { said, seen } = await settled();
    if (why === 'stuck') throw sudoStuck(host, said.stderr);
    if (why.kind === 'lost') throw lost(host, why, seen, link.lost.reason);
    if (talk.pid === undefined) throw neverRan(host, command, talk, said, why);
    const { exitCode, signal } = why;
    const held = why.outputOpen ? { backgroundHoldsOutput: true as const } : {};
    return { ...said, exitCode, signal, durationMs, ...held };
  } finally {
    pipes?.close();
    talk.close();
    output.stop();
  }
}

/** Connects the command's streams: to those of the caller where there are some, else to what keeps them. */
function connected(
  { host, command, wrapped, options }: Run,
  channel: ClientChannel,
  limits: Limits,
  reader: OutputReader,
) {
  const { streams } = options;
  let stderr: (piece: Buffer) => void = paced(channel.stderr, reader.stderr);
  const pipes = streams && new Pipes(channel, streams, () => limits.reach('broken'));
  channel.on('data', streams?.stdout && pipes ? pipes.stdout : paced(channel, reader.stdout));
  const talk = new Talk(channel, wrapped, {
    password: host.sudoPassword,
    stdin: streams?.stdin ? 'open' : command.stdin,
    onStderr: (bytes) => stderr(bytes),
    onRunning: (pid) => {
      stderr = streams?.stderr ?? stderr;
      streams?.running?.(pid);
      void pipes?.feed();
    },
    onStuck: () => limits.reach('stuck'),
  });
  return { talk, pipes };
}

/** Passes pieces of a stream on, and reads no more of it while one is being taken. */
const paced =
  (stream: Readable, take: (piece: Buffer) => Promise<void> | undefined) =>
  (piece: Buffer): void => {
    const taken = take(piece);
    if (!taken) return;
    stream.pause();
    void taken.then(() => stream.resume());
  };

/** Ends the remote processes of a run, and tells what came of it. */
async function end(run: Run, talk: Talk, over: Promise<Ending>): Promise<Killed> {
  const { host, command, wrapped, killer, signal } = run;
  let awaited = true;
  void over.then(() => {
    awaited = false;
  });
  const prey = {
    cookie: wrapped.marks.cookie,
    get pid() {
      if (!awaited) return undefined;
      return command.container === undefined ? talk.pid : talk.hostPid;
    },
    awaited: () => awaited,
    session: wrapped.as.user !== undefined,
    atOnce: signal.reason === SHUTDOWN,
  };
  const killed = await killer.kill(host, wrapped.as, prey);
  if (killed.state !== 'terminated') return killed;
  // The server is a second witness: what it still waits for has not ended.
  const ended = await Promise.race([over, pause(LAST_WORDS_MS)]);
  return ended === undefined || ended.kind === 'lost' ? { ...killed, state: 'unknown' } : killed;
}

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
