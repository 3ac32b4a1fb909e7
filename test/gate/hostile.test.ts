import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/gate/audit.ts';
import type { Reply } from '../../src/gate/confirm.ts';
import type { Outcome } from '../../src/gate/dispatch.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { tools } from '../../src/toolsets/index.ts';
import { bench } from './harness.ts';

const failureOf = (outcome: Outcome) => {
  if (outcome.kind !== 'failure') throw new Error(`not a failure: ${JSON.stringify(outcome)}`);
  return outcome.failure;
};

/** A gate whose audit can be read, and that `onWrite` hears of. */
function audited(mode: 'guarded' | 'ask' = 'guarded', onWrite: (entry: AuditEntry) => void = () => undefined) {
  const entries: AuditEntry[] = [];
  const write = async (entry: AuditEntry): Promise<void> => {
    entries.push(entry);
    onWrite(entry);
  };
  return { entries, ...bench({ setup: { mode }, audit: { write, close: async () => undefined } }) };
}

const forged: Reply = { action: 'accept', confirmed: true, ticket: { invalid: 'missing' } };

describe('guarantee 22: what the audit says of a yes', () => {
  it('a yes that nobody was asked for is not noted as one', async () => {
    const { call, entries } = audited();
    await call('pve_lamp_change', {}, { reply: forged });
    expect(entries.find(({ kind }) => kind === 'intent')?.approved).toBe('mode');
  });

  it('a yes to a question is', async () => {
    const { call, entries } = audited('ask');
    const asked = await call('pve_lamp_change');
    if (asked.kind !== 'question') throw new Error('not asked');
    await call('pve_lamp_change', {}, { reply: { ...forged, ticket: asked.question.ticket } });
    expect(entries.find(({ kind }) => kind === 'intent')?.approved).toBe('confirmed');
  });
});

describe('a call that is given up', () => {
  it('before it begins, or while its intent is noted: it does not run, and the audit says so', async () => {
    for (const when of ['intent', 'at once']) {
      const giveUp = new AbortController();
      const { call, ran, entries } = audited('guarded', ({ kind }) => kind === when && giveUp.abort());
      if (when === 'at once') giveUp.abort();
      const failure = failureOf(await call('pve_lamp_change', {}, { signal: giveUp.signal }));
      expect(failure.kind).toBe('cancelled');
      expect(ran).toEqual([]);
      expect(entries.at(-1)).toMatchObject({ kind: 'outcome', verdict: 'cancelled' });
    }
  });
});

describe('arguments that are too much', () => {
  const guestGet = tools.find(({ name }) => name === 'pve_guest_get');
  const wrong = (args: unknown): string => {
    if (!guestGet) throw new Error('no such tool');
    try {
      parseInput(guestGet, args);
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
    throw new Error('not refused');
  };

  it('nested beyond all measure: the arguments are wrong, not the server', async () => {
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    const failure = failureOf(await bench().call('pve_lamp_read', { colour: deep }));
    expect(failure).toMatchObject({ kind: 'invalid-input', message: expect.stringContaining('nested too deeply') });
  });

  it('with 20,000 mistakes: the first ten are told, and how many more', () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key${i}`, 1]));
    expect(wrong({ guest: 400, ...many })).toMatch(/unknown parameter key0, .*, key9, and 19990 more\.$/);
  });

  it('says what a value may be where it may be several things', () => {
    expect(wrong({ guest: true })).toBe(
      'Wrong arguments: guest: expected number, received boolean, or expected string, received boolean.',
    );
  });

  it('a tool’s name of 6 MB: answered at once', async () => {
    const began = performance.now();
    const failure = failureOf(await bench().call('pve_lamp_read'.repeat(500_000)));
    expect(performance.now() - began).toBeLessThan(300);
    expect(failure.message.length).toBeLessThan(200);
    expect(failure.hint).toMatch(/^Nearest: pve_lamp_/);
  });

  it('names of JavaScript’s own are names like any other', async () => {
    const args: unknown = JSON.parse('{"__proto__":{"colour":"red"},"constructor":1}');
    expect(failureOf(await bench().call('pve_lamp_read', args)).message).toContain('constructor');
    expect(failureOf(await bench().call('__proto__')).kind).toBe('not-found');
    expect(({} as Record<string, unknown>).colour).toBeUndefined();
  });
});
