import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tool } from '../../src/toolsets/tool.ts';
import { figure, tally } from '../figures.ts';
import { type AskedLab, asking, countOf, none, startAskedLab } from './asked.ts';
import { type Reply as Answered, type Connected, connect, eras, type Person } from './clients.ts';
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

/** Every answer that is no yes: declined, cancelled, accepted with the box unticked, accepted without a word. */
const answers: readonly [Answered, ...Answered[]] = [
  { action: 'decline' },
  { action: 'cancel' },
  { action: 'accept', content: { confirm: false } },
  { action: 'accept' },
];

describe.each(eras)('guarantee 20: every tool that asks, with a client of %s', (era) => {
  it('an answer that is no yes: refused, 0 effects', async () => {
    let asked = 0;
    let answer = answers[0];
    const client = await session(era, () => {
      asked += 1;
      return answer;
    });
    for (answer of answers) {
      const calls = asking.map(async (tool) =>
        expect(await client.call(tool.name, lab.inputFor(tool)), tool.name).toMatchObject(refused),
      );
      await Promise.all(calls);
      expect(lab.effects(), JSON.stringify(answer)).toEqual(none);
    }
    expect(asked).toBe(asking.length * answers.length);
    tally(20, `noes of ${answers.length} kinds: 0 effects`, asked);
  });

  it('what was shown changes under the question: the yes is void, 0 effects', async () => {
    const client = await session(era, () => {
      lab.change();
      return yes;
    });
    // What is shown of the key of a host does not stand in the world.
    const changing = asking.filter(({ human }) => human === undefined);
    for (const tool of changing) {
      lab.restore();
      const result = await client.call(tool.name, lab.inputFor(tool));
      // A task that is over cannot be stopped, which is told as such.
      if (tool.name === 'pve_task_stop') expect(result.facts.error).toBe('conflict');
      else expect(result.text, tool.name).toContain('What was shown has changed');
      expect(result.isError, tool.name).toBe(true);
      expect(lab.effects(), tool.name).toEqual(none);
    }
    tally(20, 'yeses to what had changed under the question: 0 effects', changing.length);
  });

  it('a client that cannot ask: refused, 0 effects', async () => {
    const client = await session(era);
    for (const tool of asking) {
      expect(await client.call(tool.name, lab.inputFor(tool)), tool.name).toMatchObject(refused);
    }
    expect(lab.effects()).toEqual(none);
    tally(20, 'calls of clients that cannot ask: 0 effects', asking.length);
  });

  it('a yes does it exactly once', async () => {
    const client = await session(era, () => yes);
    for (const tool of asking) {
      lab.restore();
      const result = await client.call(tool.name, lab.inputFor(tool));
      expect(result.isError, `${tool.name}: ${result.text}`).toBe(false);
      expect(countOf(lab.effects()), tool.name).toBe(1);
    }
    tally(20, `yeses of clients of ${eras.length} eras: each done once`, asking.length);
  });
});

describe('guarantee 20: every tool that asks, with clients of all eras at once', () => {
  it('the yes comes after the time: 0 effects', async () => {
    let asked = 0;
    const late: Person = async () => {
      asked += 1;
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
    expect(asked).toBe(calls.length);
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
    // A client of 2026 asks by itself, and never hears from this person.
    void Promise.allSettled(calls);
    const some = await Promise.race([
      ...calls,
      (async () => {
        while (asked < calls.length) await wait(20);
      })(),
    ]);
    expect(some).toBeUndefined();
    await Promise.all(open.splice(0).map((client) => client.close()));
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
      const again = await call(raw, tool, { inputResponses, requestState: state });
      expect(again.result?.isError, tool.name).toBe(true);
      expect(countOf(lab.effects()), tool.name).toBe(1);
    }
    figure(20, `${tried} forged or foreign yeses: 0 effects; ${asking.length} replayed yeses: each done once`);
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
      expect(countOf(lab.effects()), tool.name).toBe(1);
    }
    figure(20, `${asking.length} yeses sent five times: each done once`);
  });
});
