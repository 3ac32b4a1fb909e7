import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/gate/audit.ts';
import type { Reply, Ticket } from '../../src/gate/confirm.ts';
import type { Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import type { Setup, Tool } from '../../src/toolsets/tool.ts';
import { bench, lampTools, setup } from './harness.ts';

const failureOf = (outcome: Outcome) => {
  if (outcome.kind !== 'failure') throw new Error(`not a failure: ${JSON.stringify(outcome)}`);
  const { kind, message, hint } = outcome.failure;
  return { kind, message, hint };
};

const ticketOf = (outcome: Outcome): Ticket => {
  if (outcome.kind !== 'question') throw new Error(`not a question: ${JSON.stringify(outcome)}`);
  return outcome.question.ticket;
};

const yes = (ticket: Reply['ticket']): Reply => ({ action: 'accept', confirmed: true, ticket });

describe('the modes', () => {
  const expected = {
    'read-only': { read: 'answer', change: 'failure', execute: 'failure', destroy: 'failure' },
    guarded: { read: 'answer', change: 'answer', execute: 'answer', destroy: 'question' },
    ask: { read: 'answer', change: 'question', execute: 'question', destroy: 'question' },
    trusted: { read: 'answer', change: 'answer', execute: 'answer', destroy: 'answer' },
  } as const;

  for (const [mode, effects] of Object.entries(expected)) {
    for (const [effect, kind] of Object.entries(effects)) {
      it(`${mode}: ${effect} is met with ${kind}, and runs only when answered`, async () => {
        const { call, ran } = bench({ setup: { mode: mode as keyof typeof expected } });
        expect((await call(`pve_lamp_${effect}`)).kind).toBe(kind);
        expect(ran).toEqual(kind === 'answer' ? [effect] : []);
      });
    }
  }

  it('asks about an alarming input in guarded mode, with the reason first, and not in trusted mode', async () => {
    const guarded = bench();
    const asked = await guarded.call('pve_lamp_execute', { colour: 'infrared' });
    expect(asked).toMatchObject({
      kind: 'question',
      question: { message: expect.stringMatching(/^Infrared burns\.\n/) },
    });
    expect(guarded.ran).toEqual([]);
    const trusted = bench({ setup: { mode: 'trusted' } });
    expect((await trusted.call('pve_lamp_execute', { colour: 'infrared' })).kind).toBe('answer');
  });
});

describe('a tool that only a human may allow', () => {
  const human = 'Or run it in a terminal.';

  it.each(['guarded', 'ask', 'trusted'] as const)(
    'is asked about in %s mode, and runs after a yes only',
    async (mode) => {
      const { call, ran } = bench({ setup: { mode }, human });
      const ticket = ticketOf(await call('pve_lamp_change'));
      expect(ran).toEqual([]);
      expect((await call('pve_lamp_change', undefined, { reply: { ...yes(ticket), action: 'decline' } })).kind).toBe(
        'failure',
      );
      expect(ran).toEqual([]);
    },
  );

  it('says how it is done by hand when the client cannot ask', async () => {
    const { call } = bench({ setup: { mode: 'trusted' }, human });
    expect(failureOf(await call('pve_lamp_change', undefined, { canAsk: false }))).toMatchObject({
      message: 'pve_lamp_change has to be confirmed by a human, and this client cannot ask one.',
      hint: 'Use a client with elicitation (Claude Code has it). Or run it in a terminal.',
    });
  });
});

describe('the notes of a call', () => {
  /** A gate whose audit refuses notes of these kinds, and what it was to note. */
  function noting(...refused: readonly AuditEntry['kind'][]) {
    const entries: AuditEntry[] = [];
    const write = async (entry: AuditEntry): Promise<void> => {
      entries.push(entry);
      if (refused.includes(entry.kind)) throw new Error('ENOSPC');
    };
    return { entries, ...bench({ audit: { write, close: async () => undefined } }) };
  }

  it('have one name of twelve digits, another for each call, and end with what came of it', async () => {
    const { call, entries } = noting();
    for (const colour of ['red', 'broken']) await call('pve_lamp_change', { colour });
    expect(entries.map(({ kind, verdict }) => [kind, verdict])).toEqual([
      ['intent', undefined],
      ['outcome', 'ok'],
      ['intent', undefined],
      ['outcome', 'internal'],
    ]);
    const [first, second, third] = entries.map((entry) => entry.call);
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    expect([first === second, second === third]).toEqual([true, false]);
  });

  it('are needed before a change and before a question about one; what was done stays done, and reads are answered', async () => {
    const before = noting('intent', 'asked');
    for (const name of ['pve_lamp_change', 'pve_lamp_destroy']) {
      expect(failureOf(await before.call(name))).toMatchObject({
        kind: 'refused',
        message: expect.stringContaining(`(ENOSPC), so ${name} was not run.`),
      });
    }
    expect((await before.call('pve_lamp_read', { colour: 'infrared' })).kind).toBe('question');
    expect(before.ran).toEqual([]);
    const after = noting('outcome');
    expect((await after.call('pve_lamp_change')).kind).toBe('answer');
    expect((await after.call('pve_lamp_read')).kind).toBe('answer');
    expect(after.ran).toEqual(['change', 'read']);
  });
});

describe('what is said of a call that cannot be', () => {
  it('names the setting for a tool that the mode hides', async () => {
    const { call } = bench({ setup: { mode: 'read-only' } });
    expect(failureOf(await call('pve_lamp_destroy'))).toMatchInlineSnapshot(`
      {
        "hint": "The operator can set MCP_MODE=guarded and restart the server.",
        "kind": "refused",
        "message": "pve_lamp_destroy is not available in read-only mode: its effect is destroy.",
      }
    `);
  });

  it('names the setting for a toolset that is off', async () => {
    const { call } = bench({ setup: { toolsets: ['ssh'] } });
    expect(failureOf(await call('pve_lamp_read'))).toMatchObject({
      message: 'pve_lamp_read is not one of the chosen tools (ssh).',
      hint: 'The operator can set MCP_TOOLSETS=ssh,pve or MCP_TOOLSETS=full and restart the server.',
    });
  });

  it('names both settings for a tool that mode and toolset hide', async () => {
    const { call } = bench({ setup: { mode: 'read-only', toolsets: ['core'] } });
    expect(failureOf(await call('pve_lamp_destroy')).hint).toBe(
      'The operator can set MCP_TOOLSETS=core,pve or MCP_TOOLSETS=full and MCP_MODE=guarded and restart the server.',
    );
  });

  it('has the marked tools in core, and every one in full', () => {
    const marked = lampTools().tools.map((tool): Tool => (tool.effect === 'read' ? { ...tool, core: true } : tool));
    const names = (toolsets: Setup['toolsets']) =>
      createRegistry(marked, setup({ toolsets })).listed.map(({ name }) => name);
    expect(names(['core'])).toEqual(['pve_lamp_read']);
    expect(names(['core', 'ssh'])).toEqual(['pve_lamp_read']);
    expect(names(['full'])).toHaveLength(marked.length);
    expect(names(['pve'])).toHaveLength(marked.length);
  });

  it('offers the nearest names of an unknown tool', async () => {
    expect(failureOf(await bench().call('pve_lamp_raed')).hint).toMatch(/^Nearest: pve_lamp_read,/);
  });

  it('tells every wrong parameter at once, and the known ones', async () => {
    const { call, ran } = bench();
    expect(failureOf(await call('pve_lamp_read', { colr: 1, times: 1.5, colour: 7 }))).toMatchInlineSnapshot(`
      {
        "hint": "pve_lamp_read takes colour, times.",
        "kind": "invalid-input",
        "message": "Wrong arguments: colour: expected string, received number; times: expected int, received number; unknown parameter colr.",
      }
    `);
    expect(failureOf(await call('pve_lamp_read', 'text')).kind).toBe('invalid-input');
    expect(failureOf(await call('pve_lamp_read', { colour: 'x'.repeat(9_000_000) })).message).toContain('longer than');
    expect(ran).toEqual([]);
  });

  it('tells an error that nobody meant as internal', async () => {
    const { call } = bench();
    expect(failureOf(await call('pve_lamp_read', { colour: 'broken' }))).toMatchObject({
      kind: 'internal',
      message: 'Unexpected error: fuse',
    });
  });
});

describe('guarantee 20: without a human’s yes to this very call, nothing happens', () => {
  it('runs once after a yes', async () => {
    const { call, ran } = bench();
    const asked = await call('pve_lamp_destroy');
    expect(asked).toMatchObject({ question: { message: 'Smash the lamp, which is lit.' } });
    expect((await call('pve_lamp_destroy', {}, { reply: yes(ticketOf(asked)) })).kind).toBe('answer');
    expect(ran).toEqual(['destroy']);
  });

  const refusals: Record<string, (ticket: Ticket) => Reply> = {
    declined: (ticket) => ({ action: 'decline', confirmed: false, ticket }),
    cancelled: (ticket) => ({ action: 'cancel', confirmed: false, ticket }),
    'accepted with the box unticked': (ticket) => ({ action: 'accept', confirmed: false, ticket }),
    'forged or too old': () => yes({ invalid: 'mac' }),
    'with a nonce of its own': (ticket) => yes({ ...ticket, nonce: 'f'.repeat(32) }),
    'for another tool': (ticket) => yes({ ...ticket, tool: 'pve_lamp_change' }),
    'for another input': (ticket) => yes({ ...ticket, input: '0'.repeat(64) }),
    'for another state': (ticket) => yes({ ...ticket, state: '0'.repeat(64) }),
  };

  it.each(Object.entries(refusals))('%s: refused, 0 effects', async (_, reply) => {
    const { call, ran } = bench();
    const ticket = ticketOf(await call('pve_lamp_destroy'));
    const failure = failureOf(await call('pve_lamp_destroy', {}, { reply: reply(ticket) }));
    expect(failure.kind).toBe('refused');
    expect(failure.message).toMatch(/Nothing was done\.$/);
    expect(ran).toEqual([]);
  });

  it('replayed: the second use of a yes is refused, also when both come at once', async () => {
    const { call, ran } = bench();
    const reply = yes(ticketOf(await call('pve_lamp_destroy')));
    const outcomes = await Promise.all([1, 2, 3].map(() => call('pve_lamp_destroy', {}, { reply })));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['answer', 'failure', 'failure']);
    expect(ran).toEqual(['destroy']);
  });

  it('a no uses the question up', async () => {
    const { call, ran } = bench();
    const ticket = ticketOf(await call('pve_lamp_destroy'));
    await call('pve_lamp_destroy', {}, { reply: { action: 'decline', confirmed: false, ticket } });
    expect(failureOf(await call('pve_lamp_destroy', {}, { reply: yes(ticket) })).message).toContain('answered already');
    expect(ran).toEqual([]);
  });

  it('timed out: a yes after the time is refused', async () => {
    const { call, ran } = bench({ ttlMs: 5 });
    const ticket = ticketOf(await call('pve_lamp_destroy'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failureOf(await call('pve_lamp_destroy', {}, { reply: yes(ticket) })).message).toContain('too old');
    expect(ran).toEqual([]);
  });

  it('the state changed under the question: refused, and asking again shows the new state', async () => {
    const { call, ran, lamp } = bench();
    const ticket = ticketOf(await call('pve_lamp_destroy'));
    lamp.lit = false;
    expect(failureOf(await call('pve_lamp_destroy', {}, { reply: yes(ticket) })).message).toContain('has changed');
    expect(ran).toEqual([]);
    expect(await call('pve_lamp_destroy')).toMatchObject({ question: { message: expect.stringContaining('dark') } });
  });

  it('the same yes with other arguments: refused', async () => {
    const { call, ran } = bench();
    const ticket = ticketOf(await call('pve_lamp_destroy', { colour: 'red' }));
    const other = await call('pve_lamp_destroy', { colour: 'blue' }, { reply: yes(ticket) });
    expect(failureOf(other).message).toContain('another call');
    expect(ran).toEqual([]);
  });

  it('unsupported: a client that cannot ask is refused with the setting that would allow it', async () => {
    const { call, ran } = bench();
    const failure = failureOf(await call('pve_lamp_destroy', {}, { canAsk: false }));
    expect(failure.kind).toBe('refused');
    expect(failure.hint).toContain('MCP_MODE=trusted');
    expect(ran).toEqual([]);
  });

  it('shows a tool without a preview of its own by its input, hidden characters written out, cut', async () => {
    const { call } = bench({ setup: { mode: 'ask' } });
    const asked = await call('pve_lamp_execute', { colour: `\x1b[2J${'x'.repeat(5000)}` });
    if (asked.kind !== 'question') throw new Error('not asked');
    expect(asked.question.message).toMatch(/^Lamp: execute\ncolour: \\x1b\[2Jx{100}/);
    expect(asked.question.message.length).toBeLessThan(2100);
  });
});
