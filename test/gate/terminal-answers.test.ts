import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Approvals } from '../../src/approvals.ts';
import type { Question } from '../../src/gate/confirm.ts';
import { createTerminal } from '../../src/gate/terminal.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { lampTools } from './harness.ts';

let folder: string;
let approvals: Approvals;
beforeEach(() => {
  const place = mkdtempSync(join(tmpdir(), 'psm-answers-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  folder = join(place, 'state');
  approvals = new Approvals({ folder, keyFile: join(place, 'config', 'key') });
});

/** A terminal, what it tells of waiting, which questions were noted, and calls of the lamp's destroyer. */
function terminalOf({ ttlMs = 60_000, waitMs = 0 } = {}) {
  const redact = (text: string) => text.replaceAll('s3cret', '[gone]');
  const terminal = createTerminal(approvals, { ttlMs, waitMs, redact, calledAs: 'us' });
  const { tools, lamp } = lampTools();
  const tool = tools.find(({ effect }) => effect === 'destroy');
  if (!tool) throw new Error('no tool');
  const [progress, noted]: [string[], Question[]] = [[], []];
  const call = async (input: Record<string, unknown> = {}, signal = new AbortController().signal) => {
    const context = { signal, progress: (text: string) => progress.push(text) } as unknown as ToolContext;
    const end = terminal.admit(tool, input, context, ['It burns.'], async (one) => void noted.push(one));
    return end.then(
      () => 'yes',
      ({ kind, message, hint, facts }) => ({ kind, message, hint, facts }),
    );
  };
  return { terminal, call, progress, noted, lamp };
}

const waiting = () => {
  const [one] = approvals.list();
  if (!one) throw new Error('nothing waits');
  return one;
};
const LATE = {
  kind: 'refused',
  message: 'Nobody answered in time. Nothing was done.',
  hint: 'Call again to be asked anew.',
};

describe('guarantee 20: a question in a terminal', () => {
  it('is told with its command and until when it is open, noted once, and shown with why it is asked', async () => {
    const { call, noted, progress } = terminalOf();
    const told = await call();
    const { id, until, asked } = waiting();
    const command = `us approve ${id}`;
    expect(told).toEqual({
      kind: 'refused',
      message: "pve_lamp_destroy waits for the operator's yes in a terminal. Nothing was done.",
      hint: `Tell the operator to run: ${command} — then call pve_lamp_destroy again with the same arguments, which waits for the answer.`,
      facts: { approve: id, command, open_until: new Date(until).toISOString() },
    });
    expect(until - asked).toBe(60_000);
    expect(await call()).toEqual(told);
    expect(noted.map(({ message }) => message)).toEqual(['It burns.\nSmash the lamp, which is lit.']);
    expect(waiting().message).toBe('It burns.\nSmash the lamp, which is lit.');
    expect(progress).toEqual([`waiting for the operator: ${command}`]);
  });

  it.each([
    [{ target: 'ct/400', path: '/etc' }, 'ct/400'],
    [{ targets: ['a', 'b'] }, 'a,b'],
    [{ path: 's3cret\n\x1b' }, '[gone]\\n\\x1b'],
    [{ path: 'p'.repeat(101) }, 'p'.repeat(100)],
    [{ colour: 'red' }, ''],
  ])('of %j is about %j', async (input, about) => {
    await terminalOf().call(input);
    expect(waiting().about).toBe(about);
  });

  it('is one of twenty at most, and says where they are answered', async () => {
    const { call } = terminalOf();
    for (let times = 0; times < 20; times += 1) await call({ times });
    expect(await call({ times: 20 })).toMatchObject({
      kind: 'busy',
      message: '20 questions wait for the operator already. Nothing was done.',
      hint: 'The operator answers them: us approve',
    });
  });

  it('is taken away when nobody can ask for it any more, and with all others at the end', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const { call, terminal } = terminalOf({ ttlMs: 1_000 });
    await call({ colour: 'red' });
    const [first] = readdirSync(folder);
    vi.setSystemTime(Date.now() + 2_000);
    await call({ colour: 'blue' });
    expect(readdirSync(folder)).toContain(first);
    vi.setSystemTime(Date.now() + 1);
    await call({ colour: 'green' });
    expect(readdirSync(folder)).not.toContain(first);
    expect(readdirSync(folder)).toHaveLength(2);
    terminal.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('guarantee 20: the answer in a terminal', () => {
  it('is waited for, as long as a client waits, and then counts once', async () => {
    const { call } = terminalOf({ waitMs: 10_000 });
    await call();
    const again = call();
    setTimeout(() => approvals.answer(waiting(), true), 300);
    const began = performance.now();
    expect(await again).toBe('yes');
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(readdirSync(folder)).toEqual([]);
    expect(await call()).toMatchObject({ hint: expect.stringContaining('us approve ') });
  });

  it('is waited for no longer than that, and asked for again', async () => {
    const { call, noted } = terminalOf({ waitMs: 300 });
    const first = await call();
    const began = performance.now();
    expect(await call()).toEqual(first);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(noted).toHaveLength(1);
  });

  it('is not waited for by a call that is given up', async () => {
    const { call } = terminalOf({ waitMs: 10_000 });
    await call();
    const began = performance.now();
    expect(await call({}, AbortSignal.timeout(50))).toMatchObject({ kind: 'cancelled' });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(approvals.list()).toHaveLength(1);
  });

  it('is no, and then the question is over', async () => {
    const { call } = terminalOf();
    await call();
    approvals.answer(waiting(), false);
    expect(await call()).toMatchObject({ kind: 'refused', message: 'The operator said no. Nothing was done.' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('comes in time, and is taken in time', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
    const { call } = terminalOf({ ttlMs: 1_000 });
    const asked = async (answeredAfter: number, takenAfter: number) => {
      await call();
      const question = waiting();
      pass(answeredAfter);
      approvals.answer(question, true);
      pass(takenAfter);
      return call();
    };
    expect(await asked(1_000, 0)).toBe('yes');
    expect(await asked(900, 1_000)).toBe('yes');
    expect(await asked(500, 1_001)).toMatchObject(LATE);
    expect(await asked(1_001, 0)).toMatchObject(LATE);
    await call();
    pass(1_000);
    expect(await call()).toMatchObject(LATE);
    expect(readdirSync(folder)).toEqual([]);
  });
});
