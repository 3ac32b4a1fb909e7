import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('pct_exec', () => {
  it('runs a script in a container on the node that runs it', async () => {
    await bench.call('pve_guest_power', { guest: 400, action: 'start' });
    expect(await bench.call('pct_exec', { vmid: 400, script: 'hostname\ndocker ps' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 0,
          "ran_on": "CT 400 (keycloak)",
          "ssh_host": "pve1",
          "stdout": {
            "remote": "keycloak
      CONTAINER ID   IMAGE                            COMMAND                   CREATED       STATUS                  PORTS                    NAMES
      3f1c9a7be204   quay.io/keycloak/keycloak:26.4   "/opt/keycloak/bin/kc…"   5 weeks ago   Up Less than a second   0.0.0.0:8080->8080/tcp   keycloak
      ",
          },
        },
        "headline": "exit 0 on CT 400 (keycloak) in … s",
      }
    `);
  });

  it('takes a container as running that its node says is, whatever the lagging list says', async () => {
    const list = bench.context().pve;
    const pve: typeof list = {
      ...list,
      get: async (path, shape, params, options) => {
        const rows = await list.get(path, shape, params, options);
        if (!path.startsWith('/cluster/resources') || !Array.isArray(rows)) return rows;
        for (const row of rows) row.status = 'stopped';
        return rows;
      },
    };
    const told = await bench.call('pct_exec', { vmid: 400, script: 'hostname' }, { pve });
    expect(told.facts).toMatchObject({ stdout: { remote: 'keycloak\n' } });
  });

  it('tells an exit code of the command as an answer', async () => {
    expect(await bench.call('pct_exec', { vmid: 101, script: 'exit 7' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "duration_ms": "…",
          "exit_code": 7,
          "ran_on": "CT 101 (pihole)",
          "ssh_host": "pve1",
        },
        "headline": "exit 7 on CT 101 (pihole) in … s",
      }
    `);
  });

  it('says that a container is stopped, and how to start it', async () => {
    await bench.call('pve_guest_power', { guest: 400, action: 'shutdown' });
    expect(await bench.fails('pct_exec', { vmid: 400, script: 'true' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "CT 400 (keycloak) on pve1 is stopped: no command can run in it.",
        "hint": "Start it first: pve_guest_power with guest 400 and action start.",
        "kind": "conflict",
      }
    `);
  });

  it('says that a VM is none', async () => {
    expect(await bench.fails('pct_exec', { vmid: 200, script: 'true' })).toMatchObject({
      kind: 'invalid-input',
      headline: 'VM 200 (homeassistant) on pve1 is a VM, and commands reach a VM by its own SSH server only.',
    });
  });

  it('says that the node of the container is no host it knows', async () => {
    const guest = bench.world.guest(101);
    if (guest) guest.node = 'pve2';
    const failure = await bench.fails('pct_exec', { vmid: 101, script: 'true' });
    if (guest) guest.node = 'pve1';
    expect(failure).toMatchObject({ kind: 'not-found', headline: 'No host "pve2" is known.' });
  });
});
