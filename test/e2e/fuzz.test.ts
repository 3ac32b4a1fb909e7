import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { tally } from '../figures.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';
import { initialize, parse, type RawSession, startRaw } from './raw.ts';

let dc: Datacentre;
let session: RawSession;
beforeAll(async () => {
  dc = await startDatacentre();
  session = startRaw(await dc.launch({ MCP_MODE: 'read-only', MCP_TOOLSETS: 'full' }));
  await initialize(session);
});
afterAll(async () => {
  session.child.stdin?.end();
  await session.gone;
  await dc.stop();
});

const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '400',
    'ct/400',
    'pve1',
    'keycloak',
    '../..',
    'UPID:pve1:::::',
    '',
    '\u0000',
    '__proto__',
    'x'.repeat(5000),
  ),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });

/** Calls of tools that exist and do not, with parameters that exist and do not, of every type. */
const names = tools.map(({ name }) => name);
const parameters = [...new Set(tools.flatMap(({ schema }) => Object.keys(schema.shape)))];
const call = fc.record({
  name: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() }),
  arguments: fc.oneof(
    {
      weight: 9,
      arbitrary: fc.dictionary(fc.oneof(fc.constantFrom(...parameters), fc.string()), value, { maxKeys: 4 }),
    },
    { weight: 1, arbitrary: fc.jsonValue() },
  ),
});

const garbage = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.constantFrom('{', '[]', '{}', 'null', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":null,"method":"x"}', '\u0000'),
  fc.record({ jsonrpc: fc.constant('2.0'), method: fc.string() }).map((message) => JSON.stringify(message)),
);

describe('guarantee 24: whatever comes in', () => {
  it('10,000 fuzzed calls: every id is answered once', { timeout: 240_000 }, async () => {
    const calls = fc.sample(call, 10_000);
    const ids: number[] = [];
    for (let i = 0; i < calls.length; i += 50) {
      const batch = calls.slice(i, i + 50).map((params) => session.send('tools/call', params));
      ids.push(...batch);
      await Promise.all(batch.map((id) => session.reply(id)));
    }
    expect(ids.filter((id) => session.replies(id).length !== 1)).toEqual([]);
    tally(24, 'fuzzed calls, each answered once', ids.length);
  });

  it('5,000 garbage lines: alive, stdout is JSON-RPC and nothing else, no unhandled rejection', async () => {
    const lines = fc.sample(garbage, 5000);
    for (const line of lines) session.write(`${line.replaceAll('\n', ' ')}\n`);
    expect((await session.request('tools/list')).result).toHaveProperty('tools');
    expect(session.lines.filter((line) => parse(line) === undefined)).toEqual([]);
    expect(session.stderr()).not.toMatch(/unhandled|TypeError|Unexpected error/i);
    expect(session.child.exitCode).toBeNull();
    tally(24, 'garbage lines outlived', lines.length);
  });

  it('a line of 12 MiB is answered: the arguments are too long', { timeout: 60_000 }, async () => {
    const reply = await session.request('tools/call', {
      name: 'pve_guest_get',
      arguments: { guest: 'x'.repeat(12 * 1024 * 1024) },
    });
    expect(reply.result).toMatchObject({ isError: true, structuredContent: { error: 'invalid-input' } });
    expect((await session.request('tools/list')).result).toHaveProperty('tools');
  });

  it('left 0 writes', () => expect(dc.writes()).toEqual([]));
});
