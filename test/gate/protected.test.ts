import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { createGate, type Gate, type Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import { type ApiMethod, methodsOf, parseApidoc } from '../../src/pve/apidoc.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Setup, Tool, ToolContext } from '../../src/toolsets/tool.ts';
import { counted } from '../counts.ts';
import { tally } from '../figures.ts';
import { type Bench, setup, startBench } from '../toolsets/harness.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';

/** A container and, with the protection flag of Proxmox VE besides, another one. */
const PROTECTED = [400, 410];
/** 10,000 in all. Those through tools take longer: most end in a call about another guest. */
const SPELLINGS = counted(3_000, 1_000);
const RAW_SPELLINGS = 7_000;
const PATIENCE = 120_000;

const settings: Setup = { ...setup, mode: 'trusted', toolsets: ['full'], protectedGuests: PROTECTED, taskWaitMs: 200 };

let bench: Bench;
let gate: Gate;
let restore: () => void;
let from = 0;
let methods: readonly ApiMethod[];
/** What was run over SSH, without what is only handed to it. */
const commands: string[] = [];

beforeAll(async () => {
  bench = await startBench();
  const pve = bench.as('root@pam!mcp');
  methods = methodsOf(parseApidoc(await pve.apidoc()));
  const schema = async () => ({ version: '9.2.11', methods });
  const context = (signal: AbortSignal): ToolContext => {
    const usual = bench.context({ pve, schema, setup: settings, signal });
    const run: ToolContext['ssh']['run'] = (host, command) => {
      const { stdin: _stdin, env: _env, cwd: _cwd, ...how } = command;
      commands.push(JSON.stringify(how));
      return usual.ssh.run(host, command);
    };
    return { ...usual, ssh: { ...usual.ssh, run } };
  };
  gate = createGate({
    registry: createRegistry(tools, settings),
    confirmation: createConfirmation(60_000, (text) => text),
    audit: { write: async () => undefined, close: async () => undefined },
    setup: settings,
    context,
  });
  const { guests, storages, access, backupJobs } = bench.world;
  const lists: unknown[][] = [guests, access.users, access.tokens, access.acl, backupJobs];
  lists.push(...storages.flatMap(({ volumes, content }) => [volumes, content]));
  const before = structuredClone(lists);
  restore = () => {
    bench.endTasks();
    for (const [i, list] of lists.entries()) list.splice(0, list.length, ...structuredClone(before[i] ?? []));
    for (const storage of storages) storage.active = true;
    bench.world.switches.offline.clear();
    bench.forget();
    commands.length = 0;
    from = bench.world.requests.length;
  };
});
afterAll(() => bench.stop());

const digit = (one: string): fc.Arbitrary<string> =>
  fc.constantFrom(one, one, one, `%3${one}`, `%253${one}`, String.fromCodePoint(0xff10 + Number(one)));

const id = fc
  .constantFrom(...PROTECTED.map(String))
  .chain((text) => fc.tuple(...[...text].map(digit)).map((parts) => parts.join('')));

/** One of the protected guests, in some spelling of its id or name. */
const spelled: fc.Arbitrary<string | number> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PROTECTED) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('keycloak', 'Keycloak', ' keycloak', 'postgres', 'POSTGRES ', '4e2', '0x190'),
  },
  {
    weight: 9,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '',
          '',
          '',
          '0',
          '00',
          '+',
          ' ',
          '\t',
          'ct/',
          'lxc/',
          'vm/',
          'CT/',
          'ct:',
          'vm:',
          '101,',
          '\u200b',
        ),
        id,
        fc.constantFrom('', '', '', ' ', '.0', 'e0', '\0', '/', '\n', ',101', '%00'),
      )
      .map((parts) => parts.join('')),
  },
);

/** What may not change about a protected guest, whoever asks. */
const stateOf = (): string =>
  JSON.stringify(
    PROTECTED.map((vmid) =>
      bench.world.guests.filter((guest) => guest.vmid === vmid).map(({ load: _, ...rest }) => rest),
    ),
  );

const alone = new RegExp(`(?<![0-9])0*(${PROTECTED.join('|')})(?![0-9])`);
const naming = /^(vmid|vmids|vms|newid|target-vmid|sid|resources|id|path|volume)$/;

/** Writes that are about a protected guest, by an eye of our own. */
function reached(): string[] {
  const writes = bench.world.requests.slice(from).filter(({ method }) => method !== 'GET');
  return writes
    .filter(({ path, params }) => {
      const guest = /^\/+nodes\/+[^/]+\/+(?:lxc|qemu)\/+([^/]+)/.exec(path)?.[1];
      const named = Object.entries(params).filter(([name]) => naming.test(name));
      return alone.test(guest ?? '') || named.some(([, value]) => alone.test(String(value)));
    })
    .map(({ method, path, params }) => `${method} ${path} ${JSON.stringify(params)}`);
}

/** Runs the call on the whole road, and says what of it came through to a protected guest. */
async function through(tool: string, args: unknown, ms = 1_500): Promise<{ outcome: Outcome; harm: string[] }> {
  restore();
  const before = stateOf();
  const signal = AbortSignal.timeout(ms);
  const outcome = await gate({ tool, args, client: 'test', canAsk: false, signal, progress: () => undefined });
  const changed = stateOf() === before ? [] : ['the guest is another one'];
  return { outcome, harm: [...reached(), ...commands.filter((command) => alone.test(command)), ...changed] };
}

const acting = tools.filter(({ effect }) => effect !== 'read');
const raw = 'pve_api_call';

/** Octal modes and users of a host, which may be written with the digits of a guest's id. */
const noGuests = new Set(['mode', 'owner']);

/** Arguments of a tool with a protected guest, somehow spelled, in one of its parameters. */
const spelledInput = (tool: Tool): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .tuple(
      inputsOf(tool, bench.world),
      fc.constantFrom(...Object.keys(tool.schema.shape).filter((name) => !noGuests.has(name))),
      spelled,
    )
    .map(([input, parameter, value]) => ({
      ...input,
      [parameter]: value,
      ...('script' in input && { script: 'true' }),
    }));

/** A raw call with one in its path or in a parameter. */
const rawCall = (): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .tuple(
      fc.constantFrom(...methods.filter(({ method, path }) => method !== 'GET' && path.includes('{vmid}'))),
      spelled,
      fc.constantFrom('vmid', 'vms', 'newid', 'target-vmid', 'sid', 'id', 'none'),
      fc.constantFrom('/', '/', '/', '//', '/./'),
      fc.boolean(),
    )
    .map(([method, value, parameter, slash, encode]) => {
      const part = encode ? encodeURIComponent(String(value)) : String(value);
      const path = method.path.replace('{node}', 'pve1').replace('{vmid}', part).replace('{snapname}', 'x1');
      const params = { ...required(method), ...(parameter === 'none' ? {} : { [parameter]: value }) };
      return { method: method.method, path: path.replaceAll('/', slash), params, wait_s: 0 };
    });

const required = ({ parameters, path }: ApiMethod): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parameters)
      .filter(([name, { optional }]) => !optional && !path.includes(`{${name}}`) && !name.endsWith('[n]'))
      .map(([name, { enum: values }]) => [name, values?.[0] ?? 'x1']),
  );

describe('guarantee 19: protected guests', () => {
  it(
    `stay as they are through ${SPELLINGS} spellings in every argument of every tool`,
    async () => {
      const given = fc
        .constantFrom(...acting.filter(({ name }) => name !== raw))
        .chain((tool) => spelledInput(tool).map((input) => ({ tool, input })));
      const verdicts = new Set<string>();
      await fc.assert(
        fc.asyncProperty(given, async ({ tool, input }) => {
          const { outcome, harm } = await through(tool.name, input);
          verdicts.add(outcome.kind === 'failure' ? outcome.failure.kind : outcome.kind);
          expect(harm).toEqual([]);
        }),
        { numRuns: SPELLINGS },
      );
      expect([...verdicts]).toEqual(expect.arrayContaining(['refused', 'invalid-input', 'not-found']));
      tally(19, 'spellings, 0 on the wire', SPELLINGS);
    },
    PATIENCE,
  );

  it(
    `stay as they are through ${RAW_SPELLINGS} spellings in raw paths and parameters`,
    async () => {
      const verdicts = new Set<string>();
      await fc.assert(
        fc.asyncProperty(rawCall(), async (input) => {
          const { outcome, harm } = await through(raw, input);
          verdicts.add(outcome.kind === 'failure' ? outcome.failure.kind : outcome.kind);
          expect(harm).toEqual([]);
          expect(bench.writes()).toEqual([]);
        }),
        { numRuns: RAW_SPELLINGS },
      );
      expect([...verdicts]).toEqual(expect.arrayContaining(['refused', 'invalid-input']));
      tally(19, 'spellings, 0 on the wire', RAW_SPELLINGS);
    },
    PATIENCE,
  );

  it('are refused, and others are not, by each tool that takes a guest', async () => {
    const about = acting.filter(({ schema }) => 'guest' in schema.shape || 'vmid' in schema.shape);
    expect(about.length).toBeGreaterThan(5);
    for (const tool of about) {
      const [base] = fc.sample(inputsOf(tool, bench.world), { numRuns: 1, seed: 19 });
      const parameter = 'guest' in tool.schema.shape ? 'guest' : 'vmid';
      const { outcome, harm } = await through(tool.name, { ...base, [parameter]: 400 }, 10_000);
      expect(harm).toEqual([]);
      expect(outcome, tool.name).toMatchObject({
        failure: { kind: 'refused', message: expect.stringContaining('protected') },
      });
    }
    const { outcome } = await through(raw, { method: 'POST', path: '/nodes/pve1/lxc/101/status/reboot' });
    expect(outcome.kind).toBe('answer');
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/101/status/reboot']);
  });
});
