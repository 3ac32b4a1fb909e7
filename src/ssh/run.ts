import type { ClientChannel } from 'ssh2';
import type { Command, CommandResult, HostSpec, RunOptions, Ssh } from './client.ts';
import { type Ending, ending } from './ending.ts';
import { Killer } from './kill.ts';
import { Limits, type Reached } from './limits.ts';
import { type Output, OutputReader } from './output.ts';
import type { Link, Pool } from './pool.ts';
import { neverRan } from './start.ts';
import { lost, stopped } from './stopped.ts';
import { sudoStuck } from './sudo.ts';
import { Talk } from './talk.ts';
import { newMarks, type Wrapped, wrap } from './wrap.ts';

interface Run {
  readonly host: HostSpec;
  readonly command: Command;
  readonly options: RunOptions;
  readonly wrapped: Wrapped;
  readonly killer: Killer;
}

const CLOSE_MS = 1_500;
const LAST_WORDS_MS = 1_000;

/**
 * Runs commands over the connections of a pool. `close` ends what runs as a cancel does, for 1.5 s at most, and then the
 * connections.
 */
export function createSsh(pool: Pool): Ssh {
  const killer = new Killer(pool);
  const closing = new AbortController();
  const running = new Set<Promise<CommandResult>>();
  return {
    async run(host, command, options = {}) {
      const wrapped = wrap(host, command, newMarks());
      const signal = options.signal ? AbortSignal.any([options.signal, closing.signal]) : closing.signal;
      const run: Run = { host, command, options: { ...options, signal }, wrapped, killer };
      const result = pool.withChannel(host, wrapped.line, (channel, link) => attend(run, channel, link), { signal });
      running.add(result);
      return result.finally(() => running.delete(result));
    },
    connection: (host) => pool.connection(host),
    async close() {
      closing.abort();
      await Promise.race([Promise.allSettled(running), pause(CLOSE_MS)]);
      await pool.close();
    },
  };
}

/** Sees one command through, from the moment the server took it. */
async function attend(run: Run, channel: ClientChannel, link: Link): Promise<CommandResult> {
  const { host, command, options, wrapped } = run;
  const start = performance.now();
  const over = ending(channel, link);
  const limits = new Limits(command.timeoutMs, options.signal);
  const reader = new OutputReader(options.onOutput);
  channel.on('data', reader.stdout);
  const talk = new Talk(channel, wrapped, {
    password: host.sudoPassword,
    stdin: command.stdin,
    onStderr: reader.stderr,
    onStuck: () => limits.reach('stuck'),
  });
  const why = await Promise.race([over, limits.reached]);
  limits.clear();
  try {
    if (typeof why === 'string') throw await stop(run, why, talk, over, () => reader.output());
    talk.close();
    const output = reader.output();
    if (why.kind === 'lost') throw lost(host, why, output, link.lost.reason);
    if (talk.pid === undefined) throw neverRan(host, command, talk, output, why);
    const { exitCode, signal } = why;
    const held = why.outputOpen ? { backgroundHoldsOutput: true as const } : {};
    return { ...output, exitCode, signal, durationMs: Math.round(performance.now() - start), ...held };
  } finally {
    talk.close();
    reader.stop();
  }
}

/** Ends the remote processes of a run that the command itself did not end, and tells what came of it. */
async function stop(run: Run, why: Reached, talk: Talk, over: Promise<Ending>, output: () => Output): Promise<Error> {
  const { host, command, wrapped, killer } = run;
  if (why === 'stuck') return sudoStuck(host, output().stderr);
  const { cookie } = wrapped.marks;
  const pid = command.container === undefined ? talk.pid : undefined;
  const killed = await killer.kill(host, wrapped.sudo, { cookie, pid });
  const end = killed.state === 'terminated' ? await Promise.race([over, pause(LAST_WORDS_MS)]) : undefined;
  // The server is a second witness: what it still waits for cannot have ended.
  const seen =
    killed.state === 'terminated' && end?.kind !== 'exit' && end?.kind !== 'closed' ? 'unknown' : killed.state;
  return stopped(host, command, why, { ...killed, state: seen }, output());
}

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
