import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Connected, connect } from '../e2e/clients.ts';
import { memoryOf } from '../rig/memory.ts';
import { HOST, type Lab, USER } from './lab.ts';
import { opensshOptions } from './openssh.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

const GIB = 1024 ** 3;
const PIECE = 1024 * 1024;
const ROUNDS = 3;
/** A transfer at 0.8 of their speed takes this many times as long. */
const MOST = 1 / 0.8;
const MOST_MEMORY = 64;

interface Files {
  readonly sent: string;
  readonly fetched: string;
  readonly here: string;
  readonly there: string;
}

/** A file of 1 GiB that no compression makes smaller, in our transfer folder and in one of the login. */
async function makeFiles(lab: Lab): Promise<Files & { readonly remote: string }> {
  const remote = await mkdtemp(join(tmpdir(), 'psm-bench-there-'));
  await chmod(remote, 0o777);
  const files = {
    ...{ here: join(lab.transferFolder, 'source'), there: join(remote, 'source') },
    ...{ fetched: join(lab.transferFolder, 'fetched'), sent: join(remote, 'sent') },
  };
  const noise = () => createReadStream('/dev/urandom', { end: GIB - 1, highWaterMark: PIECE });
  for (const file of [files.here, files.there]) await pipeline(noise(), createWriteStream(file));
  await chmod(files.there, 0o644);
  return { ...files, remote };
}

/** One command of OpenSSH's own program. */
async function sftp(lab: Lab, command: string): Promise<void> {
  const args = ['-q', ...opensshOptions(lab), '-b', '-', `${USER}@${lab.sshd.host}`];
  const child = spawn('sftp', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(`${command}\n`);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`sftp ended with ${code}.`);
}

async function tool(client: Connected, name: string, args: Record<string, unknown>): Promise<void> {
  const { isError, text } = await client.call(name, { target: HOST, ...args });
  if (isError) throw new Error(`${name}: ${text}`);
}

/** The time of one whole transfer in s; what arrived is looked at for its size, and removed. */
async function whole(result: string, work: () => Promise<void>): Promise<number> {
  const took = await timed(work);
  if ((await stat(result)).size !== GIB) throw new Error('A transfer did not bring all.');
  await rm(result);
  return took / 1000;
}

/** What a process takes more at its most while the work goes on, in MiB. */
async function growth(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = memoryOf(pid, 'VmRSS');
  // Makes the kernel count the most anew (proc(5), clear_refs).
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  await work();
  return memoryOf(pid, 'VmHWM') - before;
}

/** 1 GiB in both directions by our tools, hashes compared, beside `sftp`, which compares none. */
export async function transfers(lab: Lab): Promise<Row[]> {
  const { remote, ...files } = await makeFiles(lab);
  const client = await connect('v1', lab.launchFull);
  try {
    const { here, there, fetched, sent } = files;
    const down = () => tool(client, 'ssh_file_download', { path: there, local_path: 'fetched' });
    const up = () => tool(client, 'ssh_file_upload', { local_path: 'source', path: sent });
    // What it takes to connect at all is no memory of a transfer.
    await tool(client, 'ssh_exec', { script: 'true' });
    const grown = await growth(client.pid, async () => [await whole(fetched, down), await whole(sent, up)]);
    const taken = await byTurns(ROUNDS, {
      down: { work: () => whole(fetched, down) },
      sftpDown: { work: () => whole(fetched, () => sftp(lab, `get ${there} ${fetched}`)) },
      up: { work: () => whole(sent, up) },
      sftpUp: { work: () => whole(sent, () => sftp(lab, `put ${here} ${sent}`)) },
    });
    const wanted = { beside: 'sftp', most: MOST, unit: 's' };
    return [
      compared({ what: 'download', ours: taken.down, theirs: taken.sftpDown, ...wanted }),
      compared({ what: 'upload', ours: taken.up, theirs: taken.sftpUp, ...wanted }),
      {
        what: 'memory that it takes more meanwhile',
        ours: `${grown.toFixed(0)} MiB`,
        wanted: `at most ${MOST_MEMORY}`,
        met: grown <= MOST_MEMORY,
      },
    ];
  } finally {
    await client.close();
    await rm(remote, { recursive: true, force: true });
  }
}
