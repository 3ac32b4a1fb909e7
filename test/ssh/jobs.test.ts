import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { parseJobId } from '../../src/ssh/job-id.ts';
import { type JobResult, type JobRun, Jobs } from '../../src/ssh/jobs.ts';
import { Kept } from '../../src/ssh/kept.ts';

const plan = { target: 'pve1', label: 'pve1', script: 'true', tell: () => undefined };

/** A command that goes on until it is told how to end, or is ended. */
function begun(jobs: Jobs) {
  let own: JobRun | undefined;
  let end: (result: JobResult) => void = () => undefined;
  const job = jobs.begin(plan, (run) => {
    own = run;
    return new Promise((resolve, reject) => {
      end = resolve;
      const ended = () =>
        reject(
          new Failure('cancelled', 'It was cancelled.', 'Call again.', { facts: { remote_process: 'terminated' } }),
        );
      run.signal.addEventListener('abort', ended);
    });
  });
  const result = (): JobResult => ({ ...job.output.output(), exitCode: 0, durationMs: 1 });
  return { job, run: own as unknown as JobRun, end: () => end(result()) };
}

const never = new AbortController().signal;

describe('a job', () => {
  it('is the result of the call that waits for it, or goes on by itself', async () => {
    const jobs = new Jobs();
    const quick = begun(jobs);
    quick.end();
    expect(await quick.job.within(10_000, never)).toMatchObject({ exitCode: 0 });
    const slow = begun(jobs);
    expect(await slow.job.within(0, never)).toBeUndefined();
    expect(slow.job.state).toBe('running');
    expect(jobs.adopt(slow.job)).toBe(true);
    slow.end();
    await slow.job.over;
    expect(jobs.find(slow.job.id)?.state).toBe('exited');
  });

  it('is ended by the call that waits for it, and by no call after that', async () => {
    const jobs = new Jobs();
    const cancel = new AbortController();
    const waited = begun(jobs);
    const waiting = waited.job.within(10_000, cancel.signal);
    cancel.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
    const later = new AbortController();
    const own = begun(jobs);
    await own.job.within(0, later.signal);
    later.abort();
    expect(own.run.signal.aborted).toBe(false);
    await own.job.kill();
    expect(own.job.state).toBe('killed');
  });

  it('tells of its output while a call waits, and nobody after', async () => {
    const told: string[] = [];
    const jobs = new Jobs();
    let run: JobRun | undefined;
    const job = jobs.begin({ ...plan, tell: (line) => told.push(line) }, (own) => {
      run = own;
      return new Promise(() => undefined);
    });
    run?.output.stdout(Buffer.from('one\n'));
    await expect.poll(() => told).toEqual(['one']);
    jobs.adopt(job);
    run?.output.stdout(Buffer.from('two\n'));
    run?.tell('three');
    await job.settled(700);
    expect(told).toEqual(['one']);
  });
});

describe('the jobs of a process', () => {
  it('are 50 at most: those that ended first are dropped, those that run never', async () => {
    const jobs = new Jobs();
    const all = Array.from({ length: 60 }, () => begun(jobs));
    expect(all.filter(({ job }) => jobs.adopt(job))).toHaveLength(50);
    for (const { end, job } of all.slice(0, 2)) {
      end();
      await job.over;
    }
    expect(all.slice(50).filter(({ job }) => jobs.adopt(job))).toHaveLength(2);
    expect(jobs.list()).toHaveLength(50);
    expect(jobs.find(all[0]?.job.id ?? parseJobId('jabc234@x'))).toBeUndefined();
    expect(jobs.find(all[2]?.job.id ?? parseJobId('jabc234@x'))?.state).toBe('running');
  });

  it('are forgotten an hour after their end', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const jobs = new Jobs();
    const [over, runs] = [begun(jobs), begun(jobs)];
    for (const { job } of [over, runs]) jobs.adopt(job);
    over.end();
    await over.job.over;
    vi.setSystemTime(3600_000);
    expect(jobs.list()).toHaveLength(2);
    vi.setSystemTime(3600_001);
    expect(jobs.list()).toEqual([runs.job]);
    vi.useRealTimers();
  });

  it('all end with the process', async () => {
    const jobs = new Jobs();
    const all = [begun(jobs), begun(jobs)];
    jobs.adopt(all[0]?.job ?? begun(jobs).job);
    await jobs.close();
    expect(all.map(({ job }) => job.failure?.kind)).toEqual(['cancelled', 'cancelled']);
  });
});

describe('what is kept of a stream', () => {
  it('is read by offsets in any steps, while it comes, as it came', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), async (all, steps) => {
        const kept = new Kept();
        const read: Buffer[] = [];
        let at = 0;
        const next = async (i: number) => {
          const { from, bytes } = await kept.read(at, steps[i % steps.length] ?? 1);
          expect(from).toBe(at);
          read.push(bytes);
          at += bytes.length;
        };
        for (const [i, piece] of all.entries()) {
          kept.add(Buffer.from(piece));
          await next(i);
        }
        for (let i = 0; at < kept.bytes; i++) await next(i);
        expect(Buffer.concat(read).equals(Buffer.concat(all))).toBe(true);
      }),
    );
  });

  it('that no file keeps is read from where it is left, and the gap is told', async () => {
    const kept = new Kept();
    const MIB = 1024 * 1024;
    for (let i = 0; i < 5; i++) kept.add(Buffer.alloc(MIB, String(i)));
    expect(await kept.read(MIB - 1, 10)).toMatchObject({ from: MIB - 1, bytes: Buffer.from('0') });
    const { from, bytes } = await kept.read(2 * MIB, 10);
    expect({ from, text: bytes.toString() }).toEqual({ from: 4 * MIB, text: '4444444444' });
  });
});

describe('the id of a job', () => {
  it.each([
    ['jabc234@pve1', { name: 'jabc234', user: undefined, target: 'pve1' }],
    ['jabc234+root@ct/400', { name: 'jabc234', user: 'root', target: 'ct/400' }],
    ['jabc234+www-data@lxc/400', { name: 'jabc234', user: 'www-data', target: 'ct/400' }],
    ['jabc234@qemu/101', { text: 'jabc234@vm/101', name: 'jabc234', target: 'vm/101' }],
  ])('%s says who and where', (text, said) => {
    expect(parseJobId(text)).toMatchObject(said);
  });

  it.each([
    '',
    'jabc234',
    '@pve1',
    'jabc234@',
    'jabc23@pve1',
    'j../../@pve1',
    'jabc234+a b@pve1',
    'jabc234+-x@pve1',
    'jabc234@ct/0400',
  ])('%o is none', (text) => expect(() => parseJobId(text)).toThrow(Failure));
});
