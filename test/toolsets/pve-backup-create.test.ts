import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const backUp = (input: Record<string, unknown>) => bench.call('pve_backup_create', input);
const sent = () => bench.world.requests.findLast(({ method }) => method === 'POST')?.params;

describe('pve_backup_create', () => {
  it('backs up to the roomiest storage, and prunes nothing: one write', async () => {
    expect(await backUp({ guest: 'keycloak' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "backup": "pbs:backup/ct/400/2026-11-20T03:10:00Z",
          "guest": "CT 400 (keycloak) on pve1",
          "mode": "snapshot",
          "size": "820 MiB",
          "storage": "pbs",
          "taken": "2026-11-20T03:10:00Z",
          "task_state": "ok",
          "upid": "UPID:pve1:…:vzdump:400:root@pam!mcp:",
          "waited": "… s",
        },
        "headline": "CT 400 (keycloak) on pve1: backed up to pbs, 820 MiB",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/vzdump']);
    expect(sent()).toMatchInlineSnapshot(`
      {
        "mode": "snapshot",
        "remove": "0",
        "storage": "pbs",
        "vmid": "400",
      }
    `);
  });

  it('backs up as it is told, with notes of several lines, and compresses', async () => {
    const told = await backUp({
      guest: 300,
      storage: 'nas',
      mode: 'stop',
      notes: 'Before 18.5 of {{guestname}}\nC:\\temp',
      protected: true,
    });
    expect(told.facts).toMatchObject({ storage: 'nas', mode: 'stop', protected: true, status: 'running' });
    expect(sent()).toMatchObject({ compress: 'zstd', mode: 'stop', protected: '1', remove: '0' });
    expect(bench.world.storage('nas')?.volumes.at(-1)).toMatchObject({
      vmid: 300,
      notes: 'Before 18.5 of gitlab\nC:\\temp',
      protected: true,
    });
  });

  it('tells why a job failed, from its log', async () => {
    const guest = bench.world.guest(410);
    const pve = bench.as('root@pam!mcp', (wire) => ({
      ...wire,
      send: (request) => {
        if (request.method === 'POST' && guest) guest.lock = 'migrate';
        return wire.send(request);
      },
    }));
    const failure = await bench.fails('pve_backup_create', { guest: 410 }, { pve });
    if (guest) guest.lock = undefined;
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "exit_status": {
            "remote": "job errors",
          },
          "log": {
            "remote": "INFO: starting new backup job: vzdump 410 --storage pbs --mode snapshot --remove 0 --node pve1
      INFO: Starting Backup of VM 410 (lxc)
      INFO: Backup started at 2026-11-20 03:10:00
      INFO: status = running
      INFO: backup mode: snapshot
      INFO: ionice priority: 7
      ERROR: Backup of VM 410 failed - CT is locked (migrate)
      INFO: Failed at 2026-11-20 03:10:00
      INFO: Backup job finished with errors
      TASK ERROR: job errors",
          },
          "node": "pve1",
          "type": "vzdump",
          "upid": "UPID:pve1:…:vzdump:410:root@pam!mcp:",
        },
        "headline": "Task vzdump 410 on pve1 failed: job errors. Backup of VM 410 failed - CT is locked (migrate)",
        "hint": "No backup was made. Look at the guest before another one is tried: the log tells how far it came.",
        "kind": "task-failed",
      }
    `);
    expect(bench.writes()).toHaveLength(1);
  });

  it('knows where backups cannot go, and what is locked, before anything is written', async () => {
    expect(await bench.fails('pve_backup_create', { guest: 400, storage: 'local-lvm' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "pbs",
            "nas",
            "local",
          ],
        },
        "headline": "Storage "local-lvm" cannot hold backup on pve1: it is not there, not available, or not made for that.",
        "hint": "Those that can: pbs (2.1 TiB free), nas (500 GiB free), local (73 GiB free).",
        "kind": "not-found",
      }
    `);
    const guest = bench.world.guest(101);
    if (guest) guest.lock = 'backup';
    expect(await bench.fails('pve_backup_create', { guest: 101 })).toMatchObject({
      kind: 'conflict',
      hint: expect.stringContaining('pct unlock 101'),
    });
    if (guest) guest.lock = undefined;
    expect(bench.writes()).toEqual([]);
  });

  it('hands back the task when it is not waited for', async () => {
    const { headline, facts } = await backUp({ guest: 101, storage: 'local', wait_s: 0 });
    expect(headline).toBe('CT 101 (pihole) on pve1 is still being backed up to local');
    expect(facts).toMatchObject({ task_state: 'running' });
  });

  it('names the privilege that is missing', async () => {
    const pve = bench.as('mcp@pve!auditor');
    expect(await bench.fails('pve_backup_create', { guest: 410 }, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('VM.Backup'),
    });
    const operator = bench.as('mcp@pve!operator');
    expect(await bench.fails('pve_backup_create', { guest: 410 }, { pve: operator })).toMatchObject({
      kind: 'permission',
      hint: expect.stringContaining('PVEDatastoreUser'),
    });
  });

  it('can be asked about', async () => {
    const { message } = await bench.preview('pve_backup_create', { guest: 200, mode: 'stop', storage: 'pbs' });
    expect(message).toBe(
      'Back up VM 200 (homeassistant) on pve1 to pbs. It is running, up 12 d. It is shut down for the backup, and started again when it was running.',
    );
    expect(bench.writes()).toEqual([]);
  });
});
