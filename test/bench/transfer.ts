import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'ssh2';
import { type Lab, USER } from './lab.ts';
import { opensshOptions } from './openssh.ts';
import { rawChannel, rawClient } from './raw.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

const GIB = 1024 ** 3;
const PIECE = 256 * 1024;
const GATHERED = 1024 * 1024;
const ROUNDS = 3;

interface Files {
  readonly source: string;
  readonly target: string;
}

/** A file of 1 GiB that no compression makes smaller, and a place next to it that the login may write to. */
async function makeFiles(folder: string): Promise<Files> {
  const source = join(folder, 'source');
  await pipeline(
    createReadStream('/dev/urandom', { end: GIB - 1, highWaterMark: GATHERED }),
    createWriteStream(source),
  );
  await chmod(folder, 0o777);
  await chmod(source, 0o644);
  return { source, target: join(folder, 'target') };
}

/** One transfer, by OpenSSH's own program: `get` or `put`. */
async function sftp(lab: Lab, what: 'get' | 'put', { source, target }: Files): Promise<void> {
  const args = ['-q', ...opensshOptions(lab), '-b', '-', `${USER}@${lab.sshd.host}`];
  const child = spawn('sftp', args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(`${what} ${source} ${target}\n`);
  await once(child, 'exit');
}

async function rawGet(client: Client, { source, target }: Files): Promise<void> {
  const channel = await rawChannel(client, `cat ${source}`);
  const file = await open(target, 'w');
  let parts: Buffer[] = [];
  let size = 0;
  for await (const piece of channel as AsyncIterable<Buffer>) {
    parts.push(piece);
    size += piece.length;
    if (size < GATHERED) continue;
    await file.writev(parts);
    parts = [];
    size = 0;
  }
  await file.writev(parts);
  await file.close();
}

async function rawPut(client: Client, { source, target }: Files): Promise<void> {
  const channel = await rawChannel(client, `cat >${target}`);
  const over = once(channel.resume(), 'close');
  await pipeline(createReadStream(source, { highWaterMark: PIECE }), channel);
  await over;
}

/** The time of one whole transfer; what arrived is checked for its size and removed. */
async function whole({ target }: Files, work: () => Promise<unknown>): Promise<number> {
  const took = await timed(work);
  if ((await stat(target)).size !== GIB) throw new Error('A transfer did not bring all.');
  await rm(target);
  return took / 1000;
}

/** 1 GiB in both directions: what an SSH channel of ours can carry at best, beside `sftp`. */
export async function transfers(lab: Lab): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'psm-bench-files-'));
  const client = await rawClient(lab);
  try {
    const files = await makeFiles(folder);
    const turn = (work: () => Promise<unknown>) => ({ work: () => whole(files, work) });
    const { rawDown, rawUp, down, up } = await byTurns(ROUNDS, {
      down: turn(() => sftp(lab, 'get', files)),
      rawDown: turn(() => rawGet(client, files)),
      up: turn(() => sftp(lab, 'put', files)),
      rawUp: turn(() => rawPut(client, files)),
    });
    return [
      compared({ what: 'download, a bare channel', ours: rawDown, theirs: down, beside: 'sftp', unit: 's' }),
      compared({ what: 'upload, a bare channel', ours: rawUp, theirs: up, beside: 'sftp', unit: 's' }),
    ];
  } finally {
    client.end();
    await rm(folder, { recursive: true, force: true });
  }
}
