import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { refuseProtected } from '../../src/gate/protect.ts';
import { answer } from '../../src/present/answer.ts';
import { createPve } from '../../src/pve/client.ts';
import type { WireRequest } from '../../src/pve/wire.ts';
import { definePveTool, type Effect, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';
import { setup } from './harness.ts';

const GUESTS = [
  { type: 'lxc', vmid: 400, name: 'keycloak', node: 'pve1', status: 'running' },
  { type: 'qemu', vmid: 101, name: 'web', node: 'pve2', status: 'running' },
  { type: 'qemu', vmid: 102, name: 'flagged', node: 'pve2', status: 'running' },
];

const parameters = {
  guest: z.union([z.string(), z.number()]).optional(),
  vmid: z.number().optional(),
  target: z.string().optional(),
};

const toolOf = (effect: Effect, touches?: Tool['touches']): Tool => ({
  ...definePveTool({
    name: `pve_x_${effect}`,
    title: 'X',
    effect,
    summary: 'X.',
    search: 'x',
    input: parameters,
    confirm: async () => ({ message: 'x', state: {} }),
    run: async () => answer('x', {}),
  }),
  ...(touches && { touches }),
});

/** What becomes of a call where these guests are listed, and the paths that were asked for it, each given up with the call. */
async function judged(tool: Tool, input: Record<string, unknown>, protectedGuests: readonly number[] = [400]) {
  const asked: string[] = [];
  const { signal } = new AbortController();
  const send = async ({ path, signal: given }: WireRequest) => {
    asked.push(`${path.replace('/api2/json', '')}${given === signal ? '' : ' for ever'}`);
    const data = path.includes('resources') ? GUESTS : { protection: path.includes('/102/') ? 1 : 0 };
    return { status: 200, statusText: 'OK', body: JSON.stringify({ data }) };
  };
  const pve = createPve({ host: 'x', port: 1, wire: { endpoint: 'x:1', send, close: async () => undefined } });
  const context = { pve, signal, setup: setup({ protectedGuests }) } as ToolContext;
  const failure = await refuseProtected(tool, input, context).catch((error: unknown) => error);
  return { asked, failure };
}

const LIST = '/cluster/resources?type=vm';
const listed = (label: string, effect: Effect) => ({
  kind: 'refused',
  message: `${label} is protected by the operator's settings: pve_x_${effect} was not run.`,
  hint: 'Only the operator can lift this, by taking it out of MCP_PROTECTED_GUESTS. Reading it is allowed.',
  sign: { is: 'protected' },
});

describe('guarantee 19: a guest that is listed', () => {
  const label = 'CT 400 (keycloak) on pve1';

  it.each([
    { guest: 400 },
    { guest: '400' },
    { guest: 'Keycloak' },
    { vmid: 400 },
    { target: 'ct/400' },
    { target: 'vm/400' },
  ])('is found by %j, and no tool that changes anything runs', async (given) => {
    for (const effect of ['change', 'execute', 'destroy'] as const) {
      expect(await judged(toolOf(effect), given)).toMatchObject({ asked: [LIST], failure: listed(label, effect) });
    }
  });

  it('may be read, without a look at anything', async () => {
    expect(await judged(toolOf('read'), { guest: 400 })).toEqual({ asked: [], failure: undefined });
  });

  it('is refused by what a tool touches, existing or not, before anything is asked', async () => {
    for (const [refs, wanted] of [
      [[400], 400],
      [['400'], 400],
      [[101, 999], 999],
    ] as const) {
      expect(
        await judged(
          toolOf('change', () => refs),
          {},
          [wanted],
        ),
      ).toMatchObject({
        asked: [],
        failure: listed(`Guest ${wanted}`, 'change'),
      });
    }
    const byName = await judged(
      toolOf('change', () => ['web', 'keycloak']),
      {},
    );
    expect(byName).toMatchObject({ asked: [LIST], failure: listed(label, 'change') });
  });

  it('lets every other be changed', async () => {
    for (const given of [{ guest: 101 }, { vmid: 101 }, { target: 'vm/101' }]) {
      expect(await judged(toolOf('change'), given)).toEqual({ asked: [LIST], failure: undefined });
    }
    for (const given of [{ target: 'pve1' }, {}, { guest: true }, { vmid: '400' }]) {
      expect(await judged(toolOf('change'), given)).toEqual({ asked: [], failure: undefined });
    }
    expect(
      await judged(
        toolOf('change', () => [101, 'nobody']),
        {},
      ),
    ).toEqual({ asked: [LIST], failure: undefined });
    expect(
      await judged(
        toolOf('change', () => []),
        {},
      ),
    ).toEqual({ asked: [], failure: undefined });
    expect(await judged(toolOf('execute'), { guest: 'nobody' })).toMatchObject({ failure: { kind: 'not-found' } });
  });
});

describe('guarantee 19: a guest with the protection flag of Proxmox VE', () => {
  const CONFIG = '/nodes/pve2/qemu/102/config';

  it('is not destroyed, whoever is listed', async () => {
    for (const protectedGuests of [[], [400]]) {
      expect(await judged(toolOf('destroy'), { guest: 102 }, protectedGuests)).toMatchObject({
        asked: [LIST, CONFIG],
        failure: {
          kind: 'refused',
          message: "VM 102 (flagged) on pve2 has Proxmox's protection flag set: pve_x_destroy was not run.",
          hint: 'An operator can unset it in the guest’s options (Protection: No) when this is really wanted.',
          sign: { is: 'protected' },
        },
      });
    }
    const touched = await judged(
      toolOf('destroy', () => ['web', 102]),
      {},
      [],
    );
    expect(touched).toMatchObject({
      asked: [LIST, CONFIG.replace('102', '101'), CONFIG],
      failure: { kind: 'refused' },
    });
  });

  it('may be changed, and one without it destroyed', async () => {
    expect(await judged(toolOf('change'), { guest: 102 }, [])).toEqual({ asked: [], failure: undefined });
    expect(await judged(toolOf('execute'), { guest: 102 })).toEqual({ asked: [LIST], failure: undefined });
    const other = await judged(toolOf('destroy'), { guest: 101 }, []);
    expect(other).toEqual({ asked: [LIST, CONFIG.replace('102', '101')], failure: undefined });
  });
});
