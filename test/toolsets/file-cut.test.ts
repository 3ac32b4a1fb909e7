import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import type { Ssh } from '../../src/ssh/client.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { counted } from '../counts.ts';
import { figure, slowest } from '../figures.ts';
import { type FaultProxy, startProxy } from '../rig/proxy.ts';
import { type CallFault, mayTrace, spoilProgram } from '../rig/strace.ts';
import { FileLab } from './file-lab.ts';
import { shellOn } from './harness.ts';

const hash = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

const SIZE = 4_000_000;
const RATE = 30_000_000;
const content = randomBytes(SIZE);
const old = randomBytes(1_000);

/** Comes first in PATH. */
let programs: string;
let lab: FileLab;
let proxy: FaultProxy;
let ssh: Ssh;
beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), 'psm-programs-'));
  chmodSync(programs, 0o755);
  lab = await FileLab.start({ path: [programs] });
  proxy = await startProxy(lab.sshd);
  proxy.throttle(RATE);
  ssh = lab.connections();
  mkdirSync(lab.transfer);
  mkdirSync(there(), { mode: 0o777 });
  lab.sh('chmod 777 "$F/there"');
  writeFileSync(join(lab.transfer, 'source'), content);
  writeFileSync(join(lab.folder, 'source'), content);
});
afterAll(async () => {
  await ssh.close();
  await proxy.stop();
  await lab.stop();
  rmSync(programs, { recursive: true });
});
beforeEach(() => {
  lab.sh('rm -rf "$F/there/"* "$F/there/".psm* "$F/transfer/got" "$F/transfer/".psm*');
});

const there = () => join(lab.folder, 'there');
const host = () => lab.host('psm-dash', { port: proxy.port, limits: { connectsPerMinute: 100_000 } });

/** Context of a call by way of the proxy, which `signal` cancels. */
function through(signal = new AbortController().signal): Partial<ToolContext> {
  const shell = shellOn(ssh, [host()]);
  return {
    ...lab.over(),
    signal,
    ssh: {
      ...shell,
      run: (spec, command, streams) => ssh.run(spec, command, { streams, signal }),
      look: (spec, reading, args, command, streams) =>
        ssh.run(spec, { ...command, script: reading.script(args) }, { streams, signal }),
    },
  };
}

interface Way {
  readonly name: 'upload' | 'download';
  readonly input: Record<string, unknown>;
  readonly final: () => string;
}

const upload: Way = {
  name: 'upload',
  input: { target: 'psm-dash', local_path: 'source', overwrite: true },
  final: () => join(there(), 'file'),
};
const download: Way = {
  name: 'download',
  input: { target: 'psm-dash', local_path: 'got', overwrite: true },
  final: () => join(lab.transfer, 'got'),
};

const whole = (way: Way, over: Partial<ToolContext>) =>
  lab.call(way.name, { ...way.input, path: way.name === 'upload' ? way.final() : join(lab.folder, 'source') }, over);

/** What a transfer fails with whose connection is gone. */
const lost = ['unreachable', 'outcome-unknown'];

/** What is at the final path: never a part. */
function seen(way: Way): 'nothing' | 'old' | 'new' {
  if (!existsSync(way.final())) return 'nothing';
  const bytes = readFileSync(way.final());
  if (bytes.equals(content)) return 'new';
  if (bytes.equals(old)) return 'old';
  throw new Error(`${way.final()} is a part of ${bytes.length} bytes`);
}

/** Begins a transfer, cuts it so many ms later, and tells how long it took to settle after that, and as what. */
async function cutAt(way: Way, ms: number, before: 'nothing' | 'old', cut: () => void, over = through()) {
  if (before === 'old') lab.sh(`rm -f ${way.final()}`);
  else rmSync(way.final(), { force: true });
  if (before === 'old') {
    writeFileSync(way.final(), old);
    lab.sh(`chown psm-dash:psm-dash ${way.final()}`);
  }
  const ended = whole(way, over).then(
    () => 'done' as const,
    (error: unknown) => error,
  );
  await wait(ms);
  cut();
  const began = performance.now();
  const end = await ended;
  const took = performance.now() - began;
  if (end !== 'done') expect(end, String(end)).toBeInstanceOf(Failure);
  const at = seen(way);
  expect(end === 'done' ? ['new'] : [before, 'new']).toContain(at);
  return { took, end, at };
}

/** The proxy has passed the end of the connection on. */
const disconnected = () => vi.waitFor(() => expect(ssh.connection(host().spec).state).toBe('idle'), 5_000);

/** Parts that are there once nobody writes to them any more. */
async function parts(way: Way): Promise<string[]> {
  const folder = way.name === 'upload' ? there() : lab.transfer;
  const names = () => readdirSync(folder).filter((name) => name.startsWith('.psm'));
  await vi.waitFor(() => expect(names().filter((name) => !name.endsWith('.part'))).toEqual([]), 5_000);
  return names();
}

describe.each([upload, download])('guarantee 11: a $name that is cut', (way) => {
  const CUTS = counted(50, 25);

  it(`settles within 2 s at ${CUTS} points of its way, and leaves the old file, the new one or nothing`, async () => {
    // The first connects, and tells how long one takes that nobody cuts.
    await whole(way, through());
    const start = performance.now();
    await whole(way, through());
    let length = performance.now() - start;
    const cuts: { readonly took: number; readonly end: Failure }[] = [];
    // What was cut before it began connects anew, and what was through already is not cut either.
    for (let i = 0; cuts.length < CUTS && i < 5 * CUTS; i++) {
      const at = (((i * 7) % CUTS) / CUTS) * length;
      const { took, end } = await cutAt(way, at, i % 2 === 0 ? 'old' : 'nothing', () => proxy.cut());
      if (end instanceof Failure) cuts.push({ took, end });
      // The machine may be faster now than it was then.
      else length *= 0.95;
    }
    expect(cuts).toHaveLength(CUTS);
    expect(Math.max(...cuts.map(({ took }) => took))).toBeLessThan(2_000);
    for (const { took } of cuts) slowest(11, `${way.name} that is cut settles in`, took);
    const failures = cuts.map(({ end }) => end);
    for (const { kind, message } of failures) expect(lost, message).toContain(kind);
    seen(way);
    expect((await parts(way)).length).toBeLessThan(2);
    const told = await whole(way, through());
    expect(told.facts.sha256).toBe(hash(content));
    expect(seen(way)).toBe('new');
    expect(await parts(way)).toEqual([]);
  }, 120_000);

  it('settles when its sshd is killed, and goes on from where it was', async () => {
    let resumed = 0;
    for (let i = 1; i <= 10; i++) {
      const { took, end } = await cutAt(way, i * 40, i % 2 === 0 ? 'old' : 'nothing', () => lab.sshd.killSessions());
      expect(took).toBeLessThan(2_000);
      if (end === 'done') continue;
      await disconnected();
      await parts(way);
      const told = await whole(way, through());
      expect(told.facts.sha256).toBe(hash(content));
      if (told.facts.resumed_at) resumed++;
    }
    expect(resumed).toBeGreaterThan(0);
  });

  it('ends when it is cancelled, and goes on from where it was', async () => {
    let resumed = 0;
    for (let i = 1; i <= 5; i++) {
      const stop = new AbortController();
      const { end } = await cutAt(way, i * 60, 'old', () => stop.abort(), through(stop.signal));
      await parts(way);
      if (end === 'done') continue;
      expect(end).toMatchObject({ kind: 'cancelled' });
      const told = await whole(way, through());
      if (told.facts.resumed_at) resumed++;
      expect(seen(way)).toBe('new');
    }
    expect(resumed).toBeGreaterThan(0);
  });
});

describe.each([upload, download])('guarantee 11: a $name over a connection', (way) => {
  const RESETS = counted(200, 20);

  /** A transfer that is spoiled on its way; the old file or the new one is there then, and the next transfer is whole. */
  async function spoiledBy(spoil: () => void) {
    const before = await cutAt(way, 0, 'old', spoil);
    proxy.resetAfter(Number.POSITIVE_INFINITY, 'up');
    if (before.end instanceof Failure) expect(lost).toContain(before.end.kind);
    proxy.cut();
    await disconnected();
    return before.end;
  }

  it(`that is reset after any number of bytes, either way, ${RESETS} times`, { timeout: 300_000 }, async () => {
    const bulk = way.name === 'upload' ? 'up' : 'down';
    let failed = 0;
    const points = fc.sample(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true })), RESETS);
    for (const [withBulk, part] of points) {
      const bytes = Math.round(part * (withBulk ? SIZE * 1.05 : 12_000));
      const other = bulk === 'up' ? 'down' : 'up';
      if ((await spoiledBy(() => proxy.resetAfter(bytes, withBulk ? bulk : other))) !== 'done') failed++;
    }
    expect(failed).toBeGreaterThan(RESETS / 4);
    figure(11, `${way.name}: ${failed} of ${RESETS} resets after any number of bytes came in time, none left a part`);
    expect((await whole(way, through())).facts.sha256).toBe(hash(content));
    expect(seen(way)).toBe('new');
  });

  it.each(['up', 'down'] as const)('of which one way ends, %s: settles within 2 s', async (direction) => {
    for (const ms of [20, 80, 140]) {
      await whole(way, through());
      const { took, end } = await cutAt(way, ms, 'old', () => proxy.halfClose(direction));
      expect(took).toBeLessThan(2_000);
      if (end instanceof Failure) expect(lost).toContain(end.kind);
      proxy.cut();
      await disconnected();
    }
  });

  it('that brings a few bytes at a time is whole', async () => {
    await whole(way, through());
    proxy.slice(509);
    const { end } = await cutAt(way, 0, 'old', () => {});
    proxy.slice(4_096);
    expect(end).toBe('done');
    expect(seen(way)).toBe('new');
  }, 60_000);
});

describe.runIf(mayTrace())('guarantee 11: an upload whose last step', () => {
  const faults: [string, CallFault['instead'], string][] = [
    ['fails', 'EIO', 'remote-error'],
    ['is killed', 'SIGKILL', 'remote-error'],
    ['takes a second, in which the network is cut,', { delayMs: 1_000 }, 'outcome-unknown'],
  ];

  afterEach(() => rmSync(join(programs, 'mv')));

  it.each(faults)('%s leaves the old file or the new one', async (_, instead, kind) => {
    const path = upload.final();
    lab.sh(`rm -f ${path}`);
    writeFileSync(path, old);
    lab.sh(`chown psm-dash:psm-dash ${path}`);
    // Earlier renames are of the part; the one onto the file is the last step.
    spoilProgram(programs, 'mv', { call: 'rename,renameat,renameat2', path, instead });
    const ended = whole(upload, through()).catch((error: unknown) => error);
    if (typeof instead === 'object') {
      const moving = `pgrep -f '^[^ ]*/mv -f -- [^ ]* ${path}$' || :`;
      await vi.waitFor(() => expect(lab.sh(moving)).not.toBe(''), 10_000);
      proxy.cut();
    }
    expect(await ended).toMatchObject({ kind });
    if (typeof instead === 'object') expect(['old', 'new']).toContain(seen(upload));
    else expect(seen(upload)).toBe('old');
  });
});

describe.runIf(mayTrace())('guarantee 11: a disk that does not take what was sent', () => {
  afterEach(() => rmSync(join(programs, 'dd')));

  const write = (path: string, text: string) =>
    lab.call('write', { target: 'psm-dash', path, content: text, overwrite: true }, through());

  it.each(['EIO', 'ENOSPC', 'EDQUOT'] as const)(
    'is a failure, the old file stays, and no part is gone on from: %s',
    async (instead) => {
      const path = upload.final();
      rmSync(path, { force: true });
      await write(path, 'old');
      spoilProgram(programs, 'dd', { call: 'fsync', instead });
      for (const sent of [write(path, 'new'), whole(upload, through())]) {
        await expect(sent).rejects.toMatchObject({
          kind: 'remote-error',
          message: expect.stringMatching(/The disk of psm-dash did not take .*, which was left as it was/),
        });
        expect(readFileSync(path, 'utf8')).toBe('old');
      }
      expect(readdirSync(there())).toEqual(['file']);
    },
  );

  it.each(['EINVAL', 'ENOSYS', 'EOPNOTSUPP'] as const)('is none where it only cannot be asked: %s', async (instead) => {
    spoilProgram(programs, 'dd', { call: 'fsync', instead });
    await write(upload.final(), 'new');
    expect(readFileSync(upload.final(), 'utf8')).toBe('new');
    expect((await whole(upload, through())).facts.sha256).toBe(hash(content));
  });
});

describe('guarantee 11: a write that is cut', () => {
  it('leaves the old file or the new one, and no temporary file', async () => {
    const path = join(there(), 'written');
    const texts = ['a', 'b'].map((letter) => letter.repeat(1_500_000));
    const write = (text: string) =>
      lab.call('write', { target: 'psm-dash', path, content: text, overwrite: true }, through());
    await write(texts[0] ?? '');
    for (let i = 0; i < 20; i++) {
      const ended = write(texts[i % 2] ?? '').catch((error: unknown) => error);
      await wait(i * 10);
      proxy.cut();
      await ended;
      expect(texts).toContain(readFileSync(path, 'utf8'));
    }
    await vi.waitFor(() => expect(readdirSync(there())).toEqual(['written']), 5_000);
    expect(statSync(path).size).toBe(1_500_000);
  });
});
