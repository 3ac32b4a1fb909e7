import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { initialize, type Message, parse, type RawSession, startRaw } from '../e2e/raw.ts';
import { fromSource } from './source.ts';

let dc: Datacentre;
const open: RawSession[] = [];
beforeAll(async () => {
  dc = await startDatacentre();
});
beforeEach(() => {
  const guest = dc.world.guest(400);
  if (guest) guest.status = 'running';
});
afterEach(async () => {
  for (const { child } of open) child.stdin?.end();
  await Promise.all(open.splice(0).map(({ gone }) => gone));
  expect(dc.writes()).toEqual([]);
});
afterAll(() => dc.stop());

async function session(settings: Record<string, string> = {}): Promise<RawSession> {
  const raw = startRaw(await fromSource(dc, settings));
  open.push(raw);
  return raw;
}

/** What every request of protocol 2026-07-28 says of its client; this one can ask. */
const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};

const yes = { confirm: { action: 'accept', content: { confirm: true } } };

const stop = (raw: RawSession, more: Record<string, unknown> = {}, guest: unknown = 400): Promise<Message> =>
  raw.request('tools/call', { name: 'pve_guest_stop', arguments: { guest }, _meta: envelope, ...more });

const stateOf = (message: Message): string => {
  const state = message.result?.requestState;
  if (typeof state !== 'string') throw new Error(`not asked: ${JSON.stringify(message)}`);
  return state;
};

const refused = { isError: true, structuredContent: { error: 'refused' } };

describe('guarantee 20: a client that answers what it was not asked', () => {
  it('without a seal, with one of its own, with one that was bent: refused, 0 writes', async () => {
    const raw = await session();
    expect((await stop(raw, { inputResponses: yes })).result).toMatchObject(refused);
    const state = stateOf(await stop(raw));
    const [version = '', body = '', seal = ''] = state.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    const later = Buffer.from(JSON.stringify({ ...claims, exp: 4e9 })).toString('base64url');
    const bent = [`${version}.${later}.${seal}`, `${version}.${body}.`, `${version}.${body}`, 'x', '', 'v1.e30.e30'];
    for (const requestState of bent) {
      expect((await stop(raw, { inputResponses: yes, requestState })).result, requestState).toMatchObject(refused);
    }
  });

  it('with the seal of another call, or of another process: refused, 0 writes', async () => {
    const [raw, other] = [await session(), await session()];
    const forOther = stateOf(await stop(raw, {}, 101));
    expect((await stop(raw, { inputResponses: yes, requestState: forOther })).result).toMatchObject(refused);
    const elsewhere = stateOf(await stop(other));
    expect((await stop(raw, { inputResponses: yes, requestState: elsewhere })).result).toMatchObject(refused);
  });

  it('with a yes of another type: refused or asked again, 0 writes', async () => {
    const raw = await session();
    const answers = [
      null,
      5,
      [],
      {},
      { confirm: null },
      { confirm: { action: 'x' } },
      { confirm: { action: 'accept' } },
    ];
    const contents = [null, [], { confirm: 'true' }, { confirm: 1 }, { confirm: [true] }, { Confirm: true }];
    const all = [...answers, ...contents.map((content) => ({ confirm: { action: 'accept', content } }))];
    for (const inputResponses of all) {
      const { result } = await stop(raw, { inputResponses, requestState: stateOf(await stop(raw)) });
      const met = result?.resultType === 'input_required' ? 'asked' : (result?.structuredContent as { error?: string });
      expect(met === 'asked' || met.error === 'refused', JSON.stringify(inputResponses)).toBe(true);
    }
  });

  it('in read-only mode: refused, 0 writes', async () => {
    const raw = await session({ MCP_MODE: 'read-only' });
    expect((await stop(raw, { inputResponses: yes, requestState: 'x' })).result).toMatchObject(refused);
  });

  it('in a call before any greeting: such a client cannot ask', async () => {
    const raw = await session();
    const { result } = await raw.request('tools/call', { name: 'pve_guest_stop', arguments: { guest: 400 } });
    expect(result).toMatchObject(refused);
  });
});

/** A question put to a 2025-era client, which is the raw session itself. */
async function asked(raw: RawSession): Promise<{ readonly call: number; readonly question: Message }> {
  const clientInfo = { name: 'raw', version: '1' };
  await raw.request('initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo });
  raw.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  const call = raw.send('tools/call', { name: 'pve_guest_stop', arguments: { guest: 400 } });
  for (;;) {
    const question = raw.lines.map(parse).find((message) => message?.method === 'elicitation/create');
    if (question) return { call, question };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a question in mid-air', () => {
  it('the call is cancelled and then answered with yes: 0 writes', async () => {
    const raw = await session();
    const { call, question } = await asked(raw);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: call } };
    const answer = { jsonrpc: '2.0', id: question.id, result: yes.confirm };
    raw.write(`${JSON.stringify(cancel)}\n${JSON.stringify(answer)}\n`);
    expect((await raw.request('tools/list')).result).toHaveProperty('tools');
    expect(raw.replies(call)).toEqual([]);
  });

  it.each(['end of stdin', 'SIGTERM', 'SIGINT three times'])('guarantee 25: %s: gone within 2 s', async (how) => {
    const raw = await session();
    await asked(raw);
    const began = performance.now();
    if (how === 'end of stdin') raw.child.stdin?.end();
    else for (let i = how === 'SIGTERM' ? 2 : 0; i < 3; i++) raw.child.kill(how === 'SIGTERM' ? 'SIGTERM' : 'SIGINT');
    expect(await raw.gone).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('guarantee 21: a question', () => {
  it('holds no secret and no control character', async () => {
    const raw = await session({ MCP_MODE: 'ask', SSH_PASSWORD: 'correct horse' });
    const script = 'echo correct horse; echo Y29ycmVjdCBob3JzZQ==\u001b[2J';
    const { result } = await raw.request('tools/call', {
      name: 'ssh_exec',
      arguments: { target: 'pve1', script },
      _meta: envelope,
    });
    const text = JSON.stringify(result?.inputRequests);
    expect(text).toContain('Run on pve1');
    expect(text).toContain('[secret removed]');
    expect(text).not.toMatch(/correct horse|Y29ycmVjdCBob3JzZQ|\\u001b/);
  });
});

describe('guarantee 24: two calls of one id', () => {
  it('are answered twice, and the session goes on', async () => {
    const raw = await session();
    await initialize(raw);
    const call = (script: string): string =>
      `${JSON.stringify({ jsonrpc: '2.0', id: 77, method: 'tools/call', params: { name: 'ssh_exec', arguments: { target: 'pve1', script } } })}\n`;
    raw.write(call('echo A') + call('echo B'));
    while (raw.replies(77).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await raw.request('tools/list')).result).toHaveProperty('tools');
  });
});
