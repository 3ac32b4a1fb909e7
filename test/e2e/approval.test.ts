import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tool } from '../../src/toolsets/tool.ts';
import { figure } from '../figures.ts';
import { type AskedLab, asking, none, startAskedLab } from './asked.ts';
import { type Connected, connect, eras, type Person, type ToolResult } from './clients.ts';
import { type Message, parse, type RawSession, startRaw } from './raw.ts';

let lab: AskedLab;
const open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  lab = await startAskedLab();
}, 60_000);
beforeEach(() => lab.restore());
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});
afterAll(() => lab.stop());

const yes = { action: 'accept', content: { confirm: true } } as const;

const session = async (era: (typeof eras)[number], person?: Person, more = {}): Promise<Connected> => {
  const client = await connect(era, await lab.dc.launch({ ...lab.settings, ...more }), person);
  open.push(client);
  return client;
};

const refused = { isError: true, facts: { error: 'refused' } };

/** What is answered, and what is true of the call's own answer then. */
const answers: readonly (readonly [string, () => Awaited<ReturnType<Person>>, (result: ToolResult) => void])[] = [
  ['declined', () => ({ action: 'decline' }), (result) => expect(result).toMatchObject(refused)],
  ['cancelled', () => ({ action: 'cancel' }), (result) => expect(result).toMatchObject(refused)],
  [
    'accepted with the box unticked',
    () => ({ action: 'accept', content: { confirm: false } }),
    (result) => expect(result).toMatchObject(refused),
  ],
  ['accepted without a word', () => ({ action: 'accept' }), (result) => expect(result).toMatchObject(refused)],
];

describe.each(eras)('guarantee 20: every tool that asks, with a client of %s', (era) => {
  it.each(answers)('%s: refused, 0 effects', async (_, answer, holds) => {
    let asked = 0;
    const client = await session(era, () => {
      asked += 1;
      return answer();
    });
    for (const tool of asking) {
      lab.restore();
      holds(await client.call(tool.name, lab.inputFor(tool)));
      expect(lab.effects(), tool.name).toEqual(none);
    }
    expect(asked).toBe(asking.length);
    figure(20, `${asking.length} tools, ${era}, ${_}: 0 effects`);
  });

  it('what was shown changes under the question: the yes is void, 0 effects', async () => {
    const client = await session(era, () => {
      lab.change();
      return yes;
    });
    const void_: string[] = [];
    for (const tool of asking.filter(({ human }) => human === undefined)) {
      lab.restore();
      const result = await client.call(tool.name, lab.inputFor(tool));
      expect(result.isError, tool.name).toBe(true);
      if (result.text.includes('has changed since')) void_.push(tool.name);
      else expect(result.facts.error, tool.name).toBe('conflict');
      expect(lab.effects(), tool.name).toEqual(none);
    }
    // A task that is over cannot be stopped, which is told as such.
    expect(asking.length - void_.length).toBeLessThanOrEqual(2);
    figure(20, `${void_.length} tools, ${era}, changed under the question: 0 effects`);
  });

  it('a client that cannot ask: refused, 0 effects', async () => {
    const client = await session(era);
    for (const tool of asking) {
      expect(await client.call(tool.name, lab.inputFor(tool)), tool.name).toMatchObject(refused);
    }
    expect(lab.effects()).toEqual(none);
    figure(20, `${asking.length} tools, ${era}, a client that cannot ask: 0 effects`);
  });

  it('a yes does it exactly once', async () => {
    const client = await session(era, () => yes);
    for (const tool of asking) {
      lab.restore();
      const result = await client.call(tool.name, lab.inputFor(tool));
      expect(result.isError, `${tool.name}: ${result.text}`).toBe(false);
      expect({ ...lab.effects(), keys: lab.effects().keys.length }, tool.name).toEqual({
        ...lab.once(tool),
        keys: lab.once(tool).keys.length,
      });
      expect(lab.effects().api.length + lab.effects().keys.length, tool.name).toBe(1);
    }
    figure(20, `${asking.length} tools, ${era}, a yes: done exactly once`);
  });
});

describe('guarantee 20: every tool that asks, with clients of all eras at once', () => {
  it('the yes comes after the time: 0 effects', async () => {
    const late: Person = async () => {
      await wait(6_500);
      return yes;
    };
    const clients = await Promise.all(eras.map((era) => session(era, late, { MCP_CONFIRM_TIMEOUT_S: '5' })));
    const calls = clients.flatMap((client) =>
      asking.map(async (tool) => {
        const result = await client.call(tool.name, lab.inputFor(tool)).catch(() => ({ isError: true }));
        expect(result.isError, tool.name).toBe(true);
      }),
    );
    await Promise.all(calls);
    expect(lab.effects()).toEqual(none);
    figure(20, `${calls.length} late answers: 0 effects`);
  });

  it('the client goes away while it is asked: 0 effects', async () => {
    const never: Person = () => new Promise(() => undefined);
    let asked = 0;
    const hears: Person = (message) => {
      asked += 1;
      return never(message);
    };
    const clients = await Promise.all(eras.map((era) => session(era, hears)));
    const calls = clients.flatMap((client) => asking.map((tool) => client.call(tool.name, lab.inputFor(tool))));
    const ends = Promise.allSettled(calls);
    while (asked < calls.length) await wait(20);
    await Promise.all(open.splice(0).map((client) => client.close()));
    await ends;
    expect(lab.effects()).toEqual(none);
    figure(20, `${calls.length} questions whose client went away: 0 effects`);
  });
});

/** What every request of protocol 2026-07-28 says of its client; this one can ask. */
const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};

async function rawSession(): Promise<RawSession> {
  const raw = startRaw(await lab.dc.launch(lab.settings));
  open.push({
    async close() {
      raw.child.stdin?.end();
      await raw.gone;
    },
  });
  return raw;
}

const call = (raw: RawSession, tool: Tool, more: Record<string, unknown> = {}): Promise<Message> =>
  raw.request('tools/call', { name: tool.name, arguments: lab.inputFor(tool), _meta: envelope, ...more });

async function stateOf(raw: RawSession, tool: Tool): Promise<string> {
  const { result } = await call(raw, tool);
  if (typeof result?.requestState !== 'string') throw new Error(`not asked: ${JSON.stringify(result)}`);
  return result.requestState;
}

describe('guarantee 20: every tool that asks, answered by hand', () => {
  const inputResponses = { confirm: yes };
  const isRefused = ({ result }: Message, what: string): void =>
    expect(result, what).toMatchObject({ isError: true, structuredContent: { error: 'refused' } });

  it('protocol 2026: forged, foreign and replayed yeses do nothing, the true one does it once', async () => {
    const [raw, other] = await Promise.all([rawSession(), rawSession()]);
    let tried = 0;
    for (const tool of asking) {
      lab.restore();
      const state = await stateOf(raw, tool);
      const [version, body = '', seal = ''] = state.split('.');
      const next = asking[(asking.indexOf(tool) + 1) % asking.length] as Tool;
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
      const longer = Buffer.from(JSON.stringify({ ...claims, exp: 4e9 })).toString('base64url');
      const wrong = [
        undefined,
        '',
        `${version}.${longer}.${seal}`,
        `${version}.${body}.`,
        await stateOf(raw, next),
        await stateOf(other, tool),
      ];
      for (const requestState of wrong) {
        isRefused(await call(raw, tool, { inputResponses, requestState }), tool.name);
        expect(lab.effects(), tool.name).toEqual(none);
        tried += 1;
      }
      const done = await call(raw, tool, { inputResponses, requestState: state });
      expect(done.result?.isError, `${tool.name}: ${JSON.stringify(done.result)}`).not.toBe(true);
      isRefused(await call(raw, tool, { inputResponses, requestState: state }), tool.name);
      expect(lab.effects().api.length + lab.effects().keys.length, tool.name).toBe(1);
    }
    figure(20, `${tried} forged or foreign yeses: 0 effects; ${asking.length} replayed: done once`);
  });

  it('protocol 2025: an answer that is sent again and again counts once', async () => {
    const raw = await rawSession();
    const clientInfo = { name: 'raw', version: '1' };
    await raw.request('initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo });
    raw.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
    for (const [i, tool] of asking.entries()) {
      lab.restore();
      const id = raw.send('tools/call', { name: tool.name, arguments: lab.inputFor(tool) });
      let question: Message | undefined;
      while (question === undefined) {
        question = raw.lines.map(parse).filter((message) => message?.method === 'elicitation/create')[i];
        await wait(10);
      }
      const answer = `${JSON.stringify({ jsonrpc: '2.0', id: question.id, result: yes })}\n`;
      raw.write(answer.repeat(5));
      const { result } = await raw.reply(id);
      expect(result?.isError, `${tool.name}: ${JSON.stringify(result)}`).not.toBe(true);
      expect(lab.effects().api.length + lab.effects().keys.length, tool.name).toBe(1);
    }
    figure(20, `${asking.length} answers sent five times: done once`);
  });
});
