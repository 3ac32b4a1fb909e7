import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const create = (input: Record<string, unknown>) => bench.call('pve_snapshot_create', input);

describe('pve_snapshot_create', () => {
  it('takes one that is called by the time, waits, and tells it is there: one write', async () => {
    expect(await create({ guest: 400 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "guest": "CT 400 (keycloak) on pve1",
          "parent": "before-upgrade",
          "snapshot": "mcp-20261120-0310",
          "taken": "2026-11-20T03:10:00Z",
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzsnapshot:400:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 400 (keycloak) on pve1: snapshot mcp-20261120-0310 taken, 2 snapshots now",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/lxc/400/snapshot']);
  });

  it('finds another name when that is taken', async () => {
    expect((await create({ guest: 400 })).facts).toMatchObject({ snapshot: 'mcp-20261120-031000' });
  });

  it('takes one of a VM with its memory and a description', async () => {
    const told = await create({ guest: 200, name: 'before_17', description: 'Ünïcode “quotes”', vmstate: true });
    expect(told.facts).toMatchObject({ snapshot: 'before_17', parent: 'before-16', with_memory: true });
    expect(bench.world.guest(200)?.snapshots.at(-1)).toMatchObject({ name: 'before_17', vmstate: true });
  });

  it('refuses a name that is taken before anything is written', async () => {
    expect(await bench.fails('pve_snapshot_create', { guest: 400, name: 'before-upgrade' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 400 (keycloak) on pve1 already has a snapshot before-upgrade.",
        "hint": "Give another name, or none to have one made.",
        "kind": "conflict",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('refuses the memory of a container', async () => {
    expect(await bench.fails('pve_snapshot_create', { guest: 400, vmstate: true })).toMatchObject({
      kind: 'invalid-input',
      hint: 'Leave vmstate out.',
    });
    expect(bench.writes()).toEqual([]);
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_snapshot_create', { guest: 410 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Snapshot'),
    });
  });

  it('can be asked about', async () => {
    expect(await bench.preview('pve_snapshot_create', { guest: 410, name: 'x1' })).toMatchInlineSnapshot(`
      {
        "message": "Take a snapshot named x1 of CT 410 (postgres) on pve1. It is running, up 20 d.",
        "state": {
          "guest": "CT 410 (postgres) on pve1",
          "status": "running",
        },
      }
    `);
    expect(bench.writes()).toEqual([]);
  });
});
