import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asFailure } from '../../src/failure.ts';
import type { Pve } from '../../src/pve/client.ts';
import type { ApiSchema } from '../../src/pve/schema.ts';
import type { Wire } from '../../src/pve/wire.ts';
import { tools } from '../../src/toolsets/index.ts';
import type { Tool } from '../../src/toolsets/tool.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { type Release, readReference } from '../reference.ts';
import { type Bench, bent, setup, startBench } from './harness.ts';
import { callsOf } from './requests/calls.ts';
import { inputsOf } from './requests/inputs.ts';
import { oracleOf } from './requests/oracle.ts';

const CALLS_OF_A_TOOL = counted(40, 20);
/** The raw tools reach every path there is. */
const CALLS_OF_A_RAW_TOOL = counted(400, 200);
/** Of tools whose calls take most of a second on a host, and all send the same. */
const CALLS_ON_HOSTS = counted(8, 4);
const PATIENCE_MS = 1_500;

const reference = readReference(process.env);
const versions: Readonly<Record<Release, string>> = { '9': '9.2.11', '8.4': '8.4.14' };

let bench: Bench;
let restore: () => void;
beforeAll(async () => {
  bench = await startBench();
  const { guests, storages } = bench.world;
  const before = structuredClone(guests);
  const volumes = storages.map((storage) => structuredClone(storage.volumes));
  restore = () => {
    bench.endTasks();
    guests.splice(0, guests.length, ...structuredClone(before));
    for (const [i, storage] of storages.entries()) {
      storage.volumes.splice(0, storage.volumes.length, ...structuredClone(volumes[i] ?? []));
    }
    bench.world.switches.offline.clear();
    bench.forget();
  };
});
afterAll(() => bench.stop());

/** The API as a server of that release would be it: its version, its schema. */
function clientOf(release: Release): { pve: Pve; schema: () => Promise<ApiSchema> } {
  const version = bent(/^\/version$/, () => JSON.stringify({ data: { version: versions[release], release } }));
  const methods = reference.methods(release);
  return {
    pve: bench.as('root@pam!mcp', (wire: Wire) => version(wire)),
    schema: async () => ({ version: versions[release], methods }),
  };
}

const isRaw = ({ name }: Tool): boolean => name === 'pve_api_get' || name === 'pve_api_call';

const runsOf = (tool: Tool): number =>
  isRaw(tool) ? CALLS_OF_A_RAW_TOOL : /^ssh_(file|host)_/.test(tool.name) ? CALLS_ON_HOSTS : CALLS_OF_A_TOOL;

const inputs = (tool: Tool, release: Release): fc.Arbitrary<Record<string, unknown>> => {
  if (!isRaw(tool)) return inputsOf(tool, bench.world);
  const reads = tool.effect === 'read';
  const methods = reference.methods(release).filter(({ method }) => (method === 'GET') === reads);
  return callsOf(methods).map(({ method, ...rest }) => (reads ? rest : { method, ...rest, wait_s: 1 }));
};

describe.each(['9', '8.4'] as const)(
  'guarantee 16: what Proxmox VE %s is sent is allowed by its own schema',
  (release) => {
    const wrong = oracleOf(reference.raw(release));
    const sent: string[] = [];

    it.each(tools.map((tool) => [tool.name, tool] as const))('%s', async (_, tool) => {
      const { pve, schema } = clientOf(release);
      const over = { pve, schema, setup: { ...setup, mode: 'trusted' as const, taskWaitMs: 1_000 } };
      await fc.assert(
        fc.asyncProperty(inputs(tool, release), async (input) => {
          restore();
          const from = bench.world.requests.length;
          const signal = AbortSignal.timeout(PATIENCE_MS);
          await bench.call(tool.name, input, { ...over, signal }).catch((error: unknown) => {
            expect(asFailure(error), String(error)).not.toMatchObject({ kind: 'internal' });
          });
          const requests = bench.world.requests.slice(from);
          sent.push(...requests.map(({ method }) => method));
          expect(requests.map(wrong).filter((one) => one !== undefined)).toEqual([]);
        }),
        { numRuns: runsOf(tool) },
      );
    });

    it('sent enough to tell', () => {
      expect(sent.filter((method) => method === 'GET').length).toBeGreaterThan(500);
      expect(sent.filter((method) => method !== 'GET').length).toBeGreaterThan(100);
      figure(16, `Proxmox VE ${release}: ${grouped(sent.length)} requests of ${tools.length} tools, all valid`);
    });
  },
);
