import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Approvals } from '../../src/approvals.ts';
import { createTerminal } from '../../src/gate/terminal.ts';
import { type Bench, bench } from './harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'psm-approvals-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const place = () => ({ folder: join(folder, 'state'), keyFile: join(folder, 'config', 'key') });

/** A gate whose client cannot ask, beside a terminal that waits for nobody. */
function terminalBench(ttlMs = 60_000, human?: string) {
  const approvals = new Approvals(place());
  const terminal = createTerminal(approvals, { ttlMs, redact: (text) => text, calledAs: 'us', waitMs: 0 });
  const made: Bench = bench({ terminal, human });
  const call = (args: unknown = {}, tool = 'pve_lamp_destroy') => made.call(tool, args, { canAsk: false });
  const question = () => {
    const [one] = approvals.list();
    if (!one) throw new Error('nothing waits');
    return one;
  };
  return {
    ...made,
    approvals,
    call,
    question,
    file: (kind: string) => join(place().folder, `${question().id}.${kind}`),
  };
}

describe('guarantee 20: a yes in a terminal', () => {
  it('is asked for with the command to type; the same call again runs once after it', async () => {
    const { call, ran, approvals, question } = terminalBench();
    expect(await call()).toMatchObject({ failure: { kind: 'refused', hint: expect.stringContaining('us approve ') } });
    await call();
    expect(approvals.list()).toHaveLength(1);
    expect(question()).toMatchObject({ tool: 'pve_lamp_destroy', message: 'Smash the lamp, which is lit.' });
    approvals.answer(question(), true);
    const outcomes = await Promise.all([call(), call()]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['answer', 'failure']);
    expect(ran).toEqual(['destroy']);
  });

  it('is as good for a tool that only a human may allow, in every mode', async () => {
    const { call, ran, approvals, question } = terminalBench(60_000, 'Or by hand.');
    await call({}, 'pve_lamp_change');
    approvals.answer(question(), true);
    expect((await call({}, 'pve_lamp_change')).kind).toBe('answer');
    expect(ran).toEqual(['change']);
  });

  it('counts for its arguments and its state alone', async () => {
    const { call, ran, lamp, approvals, question } = terminalBench();
    await call({ colour: 'red' });
    approvals.answer(question(), true);
    expect((await call({ colour: 'blue' })).kind).toBe('failure');
    lamp.lit = false;
    expect(await call({ colour: 'red' })).toMatchObject({
      failure: { message: expect.stringContaining('has changed') },
    });
    expect(ran).toEqual([]);
  });

  it('is none when it is forged, of another question, or not sealed', async () => {
    const { call, ran, approvals, question, file } = terminalBench();
    await call({ colour: 'red' });
    const red = question();
    approvals.answer(red, true);
    const yes = readFileSync(join(place().folder, `${red.id}.answer`), 'utf8');
    const { body } = JSON.parse(yes) as { body: string };
    await call({ colour: 'blue' });
    const target = file('answer');
    const forged = [yes, '', '{}', 'null', '[]', '{'.repeat(100_000)].concat(
      ['0'.repeat(64), 'x', ''].map((mac) => JSON.stringify({ body, mac })),
    );
    for (const text of forged) {
      writeFileSync(target, text);
      expect((await call({ colour: 'blue' })).kind, text.slice(0, 80)).toBe('failure');
    }
    rmSync(target);
    symlinkSync(join(place().folder, `${red.id}.answer`), target);
    expect((await call({ colour: 'blue' })).kind).toBe('failure');
    new Approvals({ ...place(), keyFile: join(folder, 'other', 'key') }).answer(question(), true);
    expect((await call({ colour: 'blue' })).kind).toBe('failure');
    expect(ran).toEqual([]);
  });

  it('is void after its time', async () => {
    const { call, ran, approvals, question } = terminalBench(500);
    await call();
    const old = question();
    await new Promise((resolve) => setTimeout(resolve, 510));
    approvals.answer(old, true);
    expect((await call()).kind).toBe('failure');
    expect(ran).toEqual([]);
  });

  it('cannot be given to a question that was changed', async () => {
    const { call, ran, approvals, file } = terminalBench();
    await call();
    const shown = readFileSync(file('question'), 'utf8');
    writeFileSync(file('question'), shown.replace('Smash', 'Light'));
    expect(approvals.list()).toEqual([]);
    expect(ran).toEqual([]);
  });

  it('is asked for 20 times at most; folder and key are the operator’s alone', async () => {
    const { call, approvals } = terminalBench();
    for (let times = 0; times < 20; times++) await call({ times });
    expect(await call({ times: 20 })).toMatchObject({ failure: { kind: 'busy' } });
    expect(approvals.list()).toHaveLength(20);
    expect(statSync(place().folder).mode & 0o777).toBe(0o700);
    expect(statSync(place().keyFile).mode & 0o777).toBe(0o600);
  });
});
