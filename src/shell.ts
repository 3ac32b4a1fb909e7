import { dirname, join } from 'node:path';
import { connectionOf } from './clients.ts';
import type { Inventory } from './config/inventory.ts';
import { rememberIn } from './config/learned.ts';
import type { Loaded } from './config/load.ts';
import { Failure } from './failure.ts';
import type { Ssh } from './ssh/client.ts';
import { createHostKeys } from './ssh/hostkeys.ts';
import { JobBook } from './ssh/job-book.ts';
import { Jobs } from './ssh/jobs.ts';
import type { Keep } from './ssh/keep.ts';
import { wholeLines } from './ssh/lines.ts';
import { createPool, type PoolOptions } from './ssh/pool.ts';
import { createSsh } from './ssh/run.ts';
import { Sessions } from './ssh/sessions.ts';
import type { Setup, Shell, ToolContext } from './toolsets/tool.ts';

/** The second guard of read-only mode: a tool that slipped through the gate has no SSH to write with. */
const noCommands = (): Failure =>
  new Failure(
    'refused',
    'No command is run over SSH in read-only mode.',
    'The operator can set another mode and restart the server.',
    { sign: { is: 'read-only' } },
  );

/** Why SSH cannot be used at all, and why it can be used only to look. */
interface Barred {
  readonly blocked?: Failure;
  readonly noRuns?: Failure;
}

type ShellParts = Pick<Shell, 'hosts' | 'memory' | 'keys' | 'jobs' | 'sessions'>;

/** SSH for one call: its signal ends the commands, their last line is its progress. */
function shellOf(ssh: Ssh, parts: ShellParts, { blocked, noRuns }: Barred, { signal, progress }: CallParts): Shell {
  return {
    ...parts,
    connection: (host) => ssh.connection(host),
    run(host, command, streams, job) {
      const failure = blocked ?? noRuns;
      if (failure) throw failure;
      return ssh.run(host, command, { onOutput: wholeLines(progress), streams, ...(job ?? { signal }) });
    },
    look(host, reading, args, command, streams) {
      if (blocked) throw blocked;
      const script = reading.script(args);
      return ssh.run(host, { ...command, script }, { signal, onOutput: wholeLines(progress), streams });
    },
  };
}

type CallParts = Pick<ToolContext, 'signal' | 'progress'>;

/** SSH as one process has it. */
export interface ShellSide {
  /** For one call, which is about the cluster of that name and mode. */
  readonly shell: (call: CallParts, cluster: string | undefined, mode: Setup['mode']) => Shell;
  readonly sessions: Sessions;
  /** Ends the commands that no call waits for. */
  readonly endJobs: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface ShellOptions {
  readonly hosts: Inventory;
  readonly keep: Keep;
  readonly onConnection: PoolOptions['onConnection'];
  /** Why SSH cannot be used at all. */
  readonly blocked?: Failure;
}

/** SSH from what was loaded; nothing is connected yet. */
export function shellSide(loaded: Loaded, { hosts, keep, onConnection, blocked }: ShellOptions): ShellSide {
  const { settings, cacheFolder } = loaded;
  const connection = connectionOf(loaded);
  const noRuns = noCommands();
  const pool = createPool({ ...connection, onConnection });
  const ssh = createSsh(pool, keep);
  const jobs = new Jobs({ keep, book: new JobBook(join(dirname(settings.auditFile), 'jobs.json')) });
  const sessions = new Sessions({ ssh, pool, keep, refused: blocked });
  const closed = sessions.closed(blocked ?? noRuns);
  const keys = createHostKeys(connection, settings.mode === 'read-only' ? noRuns : undefined);
  const memory = rememberIn(join(cacheFolder, 'hosts.json'));
  return {
    shell(call, cluster, mode) {
      const parts = { hosts: hosts.of(cluster), memory, keys, jobs };
      return mode === 'read-only'
        ? shellOf(ssh, { ...parts, sessions: closed }, { blocked, noRuns }, call)
        : shellOf(ssh, { ...parts, sessions }, { blocked }, call);
    },
    sessions,
    async endJobs() {
      await Promise.all([jobs.close(), sessions.end()]);
    },
    close: () => ssh.close(),
  };
}
