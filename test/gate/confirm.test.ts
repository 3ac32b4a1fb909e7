import { describe, expect, it, vi } from 'vitest';
import { createConfirmation, type Reply, type Ticket } from '../../src/gate/confirm.ts';
import { answer, type Facts } from '../../src/present/answer.ts';
import { definePveTool, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';

const context = {} as ToolContext;

/** A tool that shows this state; without one it has no preview of its own. */
function toolOf(name: string, state?: () => Facts): Tool {
  const made = definePveTool({
    name,
    title: 'Lamp: smash',
    effect: 'execute',
    summary: 'X.',
    search: 'x',
    input: {},
    run: async () => answer('x', {}),
  });
  return state ? { ...made, confirm: async () => ({ message: 'Smash it.', state: state() }) } : made;
}

const asking = (ttlMs = 60_000) => createConfirmation(ttlMs, (text) => text.replaceAll('s3cret', '[gone]'));
const yes = (ticket: Reply['ticket']): Reply => ({ action: 'accept', confirmed: true, ticket });
const lamp = toolOf('pve_lamp_smash', () => ({ lit: true, bulbs: [{ b: 1, a: 2 }] }));

/** The question's text for a tool without a preview. */
async function shown(input: Record<string, unknown>): Promise<string> {
  return (await asking().ask(toolOf('pve_lamp_smash'), input, context)).message;
}

describe('a question', () => {
  it('shows what the tool shows, or title and input, a text of several lines set apart, and no secret', async () => {
    expect((await asking().ask(lamp, { a: 1 }, context)).message).toBe('Smash it.');
    expect(await shown({ a: 'one', n: 2, list: [1, 's3cret'], more: 'x\ny: z\n' })).toBe(
      'Lamp: smash\na: one\nn: 2\nlist: [1,"[gone]"]\nmore:\n  | x\n  | y: z\n  | ',
    );
    expect(await shown({ a: 'x\x1by' })).toBe('Lamp: smash\na: x\\x1by');
    expect(await shown({ user: 'x', password: 'a\nb' })).toBe('Lamp: smash\nuser: x\npassword: [hidden]');
  });

  it('has no empty space that would push what it is about out of sight', async () => {
    expect(await shown({ a: `x${' '.repeat(59)}y` })).toContain(`x${' '.repeat(59)}y`);
    expect(await shown({ a: `x${' '.repeat(60)}y` })).toBe('Lamp: smash\na: x [… 60 blanks …] y');
    expect(await shown({ a: `x${'\u2800'.repeat(20)}y` })).toBe('Lamp: smash\na: x [… 20 blanks …] y');
    expect(await shown({ a: `x${'\u2800'.repeat(19)}y` })).toContain('\u2800'.repeat(19));
    const few = await shown({ a: `x${'\n'.repeat(4)}y` });
    expect(few).toBe(`Lamp: smash\na:\n  | x\n${'  | \n'.repeat(3)}  | y`);
    expect(await shown({ a: `x${'\n'.repeat(5)}y` })).toBe('Lamp: smash\na:\n  | x\n[… 4 empty lines …]\n  | y');
    expect(await shown({ a: `x${' \n\t\n'.repeat(3)}y` })).toMatch(/\| x ?\n?.*\[… \d empty lines …\]\n {2}\| y$/s);
  });

  it('has no more of it where the tool itself has shown it', async () => {
    const gaping = { ...lamp, confirm: async () => ({ message: `Smash${'\n'.repeat(6)}it.`, state: {} }) };
    expect((await asking().ask(gaping, {}, context)).message).toBe('Smash\n[… 5 empty lines …]\nit.');
  });

  it('is cut from 2,001 characters on', async () => {
    const head = 'Lamp: smash\na: ';
    const text = 'x'.repeat(2_000 - head.length);
    expect(await shown({ a: text })).toBe(head + text);
    expect(await shown({ a: `${text}x` })).toContain('\n[… 1 characters not shown …]\n');
  });
});

describe('guarantee 20: the answer to a question', () => {
  const input = { colour: 'red', deep: { a: 1, b: [2, null, { c: 3, d: undefined }] } };
  const settled = async (reply: (ticket: Ticket) => Reply, tool = lamp, given: Record<string, unknown> = input) => {
    const confirmation = asking();
    const { ticket } = await confirmation.ask(lamp, input, context);
    return confirmation.settle(reply(ticket), tool, given, context).then(
      () => 'yes',
      ({ kind, message, hint }) => [kind, message, hint],
    );
  };
  const again = 'Call again to be asked anew.';

  it('is yes for the same call and the same state, in whatever order they are written', async () => {
    expect(await settled(yes)).toBe('yes');
    expect(await settled(yes, lamp, { deep: { b: [2, null, { c: 3 }], a: 1 }, colour: 'red' })).toBe('yes');
    const turned = toolOf('pve_lamp_smash', () => ({ bulbs: [{ a: 2, b: 1 }], lit: true }));
    expect(await settled(yes, turned)).toBe('yes');
    expect(
      await settled(
        yes,
        toolOf('pve_lamp_smash', () => ({})),
      ),
    ).not.toBe('yes');
  });

  it.each<[string, (ticket: Ticket) => Reply, string, string]>([
    [
      'a no',
      (ticket) => ({ ...yes(ticket), action: 'decline' }),
      'The operator said no.',
      'Do not ask again unless the operator wishes it.',
    ],
    [
      'a yes without its tick',
      (ticket) => ({ ...yes(ticket), confirmed: false }),
      'The operator said no.',
      'Do not ask again unless the operator wishes it.',
    ],
    [
      'no answer',
      (ticket) => ({ ...yes(ticket), action: 'cancel' }),
      'The operator closed the question without an answer.',
      'Do not ask again unless the operator wishes it.',
    ],
    [
      'one that is forged',
      () => yes({ invalid: 'mac' }),
      'The answer came too late, or not from the question that was asked.',
      again,
    ],
    [
      'one to no question',
      (ticket) => yes({ ...ticket, nonce: 'x' }),
      'This question has been answered already, or is too old.',
      again,
    ],
    ['one for another tool', (ticket) => yes({ ...ticket, tool: 'x' }), 'The answer belongs to another call.', again],
    [
      'one for other arguments',
      (ticket) => yes({ ...ticket, input: 'x' }),
      'The answer belongs to another call.',
      again,
    ],
    [
      'one for another state',
      (ticket) => yes({ ...ticket, state: 'x' }),
      'What was shown has changed since the operator was asked.',
      'Call again: the question will show the new state.',
    ],
  ])('is refused when it is %s', async (_, reply, cause, cure) => {
    expect(await settled(reply)).toEqual(['refused', `${cause} Nothing was done.`, cure]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a value', { ...input, colour: 'blue' }],
    ['one value more', { ...input, more: 1 }],
    ['numbered members for a list', { ...input, deep: { a: 1, b: { 0: 2, 1: null, 2: { c: 3 } } } }],
    ['another order of a list', { ...input, deep: { a: 1, b: [null, 2, { c: 3 }] } }],
    ['text for a number', { ...input, deep: { ...input.deep, a: '1' } }],
  ])('is refused for a call that differs in %s', async (_, given) => {
    expect(await settled(yes, lamp, given)).toContain('The answer belongs to another call. Nothing was done.');
  });

  it('is refused where the state changed meanwhile, and where another tool is called', async () => {
    expect(
      await settled(
        yes,
        toolOf('pve_lamp_smash', () => ({ lit: false })),
      ),
    ).toContain('Call again: the question will show the new state.');
    expect(
      await settled(
        yes,
        toolOf('pve_lamp_other', () => ({ lit: true })),
      ),
    ).toContain('The answer belongs to another call. Nothing was done.');
  });

  it('is in time until its time is over, which keeps no process alive', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const confirmation = asking(1_000);
      const [first, second] = [
        await confirmation.ask(lamp, input, context),
        await confirmation.ask(lamp, input, context),
      ];
      expect(first.ticket.nonce).not.toBe(second.ticket.nonce);
      vi.advanceTimersByTime(999);
      await confirmation.settle(yes(first.ticket), lamp, input, context);
      vi.advanceTimersByTime(1);
      await expect(confirmation.settle(yes(second.ticket), lamp, input, context)).rejects.toThrow('is too old');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
