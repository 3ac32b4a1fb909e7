import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/failure.ts';
import type { Mode } from '../../src/gate/policy.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Tool } from '../../src/toolsets/tool.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';
import { initialize, type Message, parse, startRaw } from './raw.ts';

const started: Datacentre[] = [];
afterAll(() => Promise.all(started.map((dc) => dc.stop())));

type Input = Record<string, unknown>;

/** How ids, names and paths may be spelled that look right and are not, or are right and do not look so. */
const spellings = [
  ...[
    ' 400',
    '400 ',
    '0400',
    '4e2',
    '0x190',
    '+400',
    '400.0',
    '-400',
    '４００',
    'ct/0400',
    'CT/400',
    'ct/ 400',
    'lxc/400',
  ],
  ...[
    'vm/200',
    'qemu/200',
    'vm/400',
    '400\n',
    '400\u0000',
    '400;401',
    '400,401',
    '["400"]',
    'pve1 ',
    'PVE1',
    'pve1/../pve2',
  ],
  ...[
    '../..',
    '..%2f..',
    '/etc/passwd\u0000.txt',
    '~root',
    '-rf',
    '--help',
    '$(id)',
    '%s%n',
    "'",
    '"',
    '\\',
    '{{x}}',
    '<b>',
  ],
];
const texts = [
  ...[
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'x\udfffy',
    '\u202egnp.exe',
    'e\u0301',
    '\u00e9',
    '\u200b',
    '\ufeffpve1',
    '😀',
  ],
  ...['__proto__', 'constructor', 'toString', 'null', 'undefined', 'NaN', 'true', '\r\n', '\u2028', '\u001b[31m'],
  ...['x'.repeat(100_000), 'ä'.repeat(20_000), '('.repeat(5_000), `${'a'.repeat(5_000)}!`, 'UPID:'.repeat(2_000)],
];
const numbers = [0, -0, -1, 1, 0.5, 99, 100, 1e9, 999_999_999, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 5e-324];
const nested = (depth: number): unknown =>
  depth === 0 ? 'deep' : depth % 2 ? [nested(depth - 1)] : { a: nested(depth - 1) };
const strange = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], { length: 1 }, nested(400)),
  fc.constantFrom<unknown>(...numbers),
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...texts) },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...spellings) },
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }),
);
const extraKeys = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  'guests',
  'Guest',
  'vmid ',
  'node',
  '',
  '\u0000',
  '0',
);

/** One member put in; by its definition, because assigning to `__proto__` is something else. */
const withMember = (input: Input, key: string, value: unknown): Input =>
  Object.defineProperty({ ...input }, key, { value, enumerable: true, configurable: true, writable: true });

/** A value with something strange inside it, or around it. */
function inside(value: unknown, other: unknown, where: number): unknown {
  if (Array.isArray(value) && value.length > 0) return value.with(where % value.length, other);
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value);
    const key = keys[where % Math.max(1, keys.length)] ?? 'x';
    return withMember(value as Input, key, other);
  }
  if (typeof value === 'string') {
    const at = where % (value.length + 1);
    return `${value.slice(0, at)}${typeof other === 'string' ? other.slice(0, 2_000) : ''}${value.slice(at)}`;
  }
  if (typeof value === 'number') return [-value, value + 0.5, String(value), value * 1e6, [value]][where % 5];
  return other;
}

type Mutation = (input: Input) => Input;
const mutation: fc.Arbitrary<Mutation> = fc
  .tuple(fc.constantFrom('drop', 'swap', 'replace', 'inside', 'wrap', 'add'), fc.nat(1_000), strange, extraKeys)
  .map(([kind, where, other, extra]) => (input) => {
    const keys = Object.keys(input);
    const key = keys[where % Math.max(1, keys.length)];
    if (kind === 'add' || key === undefined) return withMember(input, extra, other);
    if (kind === 'replace') return withMember(input, key, other);
    if (kind === 'inside') return withMember(input, key, inside(input[key], other, where));
    if (kind === 'wrap') return withMember(input, key, where % 2 === 0 ? [input[key]] : { value: input[key] });
    if (kind === 'swap') return withMember(input, key, input[keys[(where + 1) % keys.length] ?? key]);
    const { [key]: _, ...rest } = input;
    return rest;
  });

/** What would keep the test waiting. */
const hurried = (input: Input): Input =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name, /^(wait|timeout)_s$/.test(name) ? 1 : value]));

/** Inputs of a tool as its schema has them, with up to three mutations; or no object at all. */
const mutants = (tool: Tool, dc: Datacentre): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 40,
      arbitrary: fc
        .tuple(inputsOf(tool, dc.world), fc.array(mutation, { minLength: 0, maxLength: 3 }))
        .map(([input, mutations]) => mutations.reduce((made, mutate) => mutate(made), hurried(input))),
    },
    { weight: 1, arbitrary: strange },
  );

/** What a failure may be; `internal` is a bug of ours. */
const kinds: Record<Exclude<FailureKind, 'internal'>, true> = {
  'invalid-input': true,
  'not-found': true,
  ambiguous: true,
  misconfigured: true,
  authentication: true,
  permission: true,
  untrusted: true,
  refused: true,
  busy: true,
  conflict: true,
  unreachable: true,
  timeout: true,
  'remote-error': true,
  'task-failed': true,
  'outcome-unknown': true,
  cancelled: true,
};

const BUGS =
  /Unexpected error|\b\w*TypeError\b|ReferenceError|RangeError|SyntaxError|\n {4}at |\[object |\bNaN\b|\bundefined\b/;

/** What is wrong with a reply, if anything. */
function wrong({ result, error }: Message, said: string): string | undefined {
  if (error) return error.code === -32602 && !BUGS.test(error.message) ? undefined : JSON.stringify(error);
  if (result?.isError !== true) return undefined;
  const { error: kind, summary, cure } = (result.structuredContent ?? {}) as Record<string, unknown>;
  const told = JSON.stringify(result.structuredContent).slice(0, 500);
  if (!Object.hasOwn(kinds, String(kind))) return `kind: ${told}`;
  if (typeof summary !== 'string' || summary.length < 5) return `no cause: ${told}`;
  if (typeof cure !== 'string' || cure.length < 5) return `no cure: ${told}`;
  // Words that the call itself brought are ours to repeat.
  if (BUGS.test(`${summary} ${cure}`) && !BUGS.test(said)) return `a bug's words: ${told}`;
  return undefined;
}

const AT_ONCE = 24;

describe.each<Mode>(['read-only', 'guarded', 'trusted'])(
  'guarantee 24: inputs of every tool that are almost right, %s',
  (mode) => {
    const INPUTS_FOR_EACH = counted(100, 5);

    it(`${INPUTS_FOR_EACH} for each tool: each is answered once, by an answer or a failure with cause and cure`, {
      timeout: 1_200_000,
    }, async () => {
      const dc = await startDatacentre();
      started.push(dc);
      const session = startRaw(await dc.launch({ MCP_MODE: mode, MCP_TOOLSETS: 'full' }));
      await initialize(session);
      const { seed = 0 } = fc.readConfigureGlobal() ?? {};
      const calls = tools.flatMap((tool, nth) =>
        fc.sample(mutants(tool, dc), { numRuns: INPUTS_FOR_EACH, seed: seed + nth }).map((input) => ({ tool, input })),
      );
      const troubles: string[] = [];
      const ids: number[] = [];
      let answers = 0;
      let next = 0;
      const worker = async () => {
        for (let call = calls[next++]; call; call = calls[next++]) {
          const id = session.send('tools/call', { name: call.tool.name, arguments: call.input });
          ids.push(id);
          const reply = await session.reply(id);
          if (reply.result && reply.result.isError !== true) answers += 1;
          const said = JSON.stringify(call.input) ?? '';
          const trouble = wrong(reply, said);
          if (trouble) troubles.push(`${call.tool.name} ${said.slice(0, 300)}: ${trouble}`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect((await session.request('tools/list')).result).toHaveProperty('tools');
      session.child.stdin?.end();
      await session.gone;
      expect(troubles).toEqual([]);
      expect(ids.filter((id) => session.replies(id).length !== 1)).toEqual([]);
      expect(session.lines.filter((line) => parse(line) === undefined)).toEqual([]);
      expect(session.stderr()).not.toMatch(/unhandled|TypeError|Unexpected error/i);
      expect(answers).toBeGreaterThan(tools.length / 4);
      if (mode === 'read-only') expect(dc.writes()).toEqual([]);
      figure(
        24,
        `${grouped(calls.length)} almost right inputs of ${tools.length} tools, ${mode}: ${grouped(answers)} answers, else a cause and a cure`,
      );
    });
  },
);
