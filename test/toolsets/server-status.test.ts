import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('server_status', () => {
  it('tells what is set up and that it works', async () => {
    expect(await bench.call('server_status')).toMatchInlineSnapshot(`
      {
        "facts": {
          "api": {
            "answered_in": "… s",
            "endpoint": "127.0.0.1:…",
            "pve_version": "9.2.11",
            "state": "connected",
            "token": "root@pam!mcp",
          },
          "audit_file": "/var/lib/audit.jsonl",
          "mode": "guarded",
          "ssh": {
            "checked": [
              {
                "host": "pve1",
                "host_key": "SHA256:…",
                "login": "root@127.0.0.1:…",
                "pct": true,
                "root": true,
                "state": "connected",
              },
            ],
            "known_hosts": 1,
            "state": "1 of 1 host connected",
          },
          "toolsets": [
            "pve",
            "ssh",
          ],
          "version": "0.1.0",
        },
        "headline": "proxmox-ssh-mcp 0.1.0, guarded mode; API connected, SSH 1 of 1 host connected",
      }
    `);
    expect(bench.writes()).toEqual([]);
  });

  it('tells what is wrong, with the cure, and does not fail', async () => {
    const pve = bench.as('root@pam!expired');
    expect(await bench.call('server_status', {}, { pve })).toMatchObject({
      headline: 'proxmox-ssh-mcp 0.1.0, guarded mode; API not usable (authentication), SSH 1 of 1 host connected',
      facts: { api: { state: 'authentication', cause: expect.any(String), cure: expect.any(String) } },
    });
  });

  it('tells which of several endpoints answers', async () => {
    const pve = { ...bench.as('root@pam!mcp'), endpoint: 'pve2:8006', endpoints: ['pve1:8006', 'pve2:8006'] };
    const { facts } = await bench.call('server_status', {}, { pve });
    expect(facts).toMatchObject({ api: { endpoint: 'pve2:8006', other_endpoints: ['pve1:8006'] } });
  });

  it('tells a token that has no privileges', async () => {
    const over = { pve: bench.as('mcp@pve!nothing'), setup: { ...setup, token: 'mcp@pve!nothing' } };
    const { facts } = await bench.call('server_status', {}, over);
    expect((facts as { api: unknown }).api).toMatchInlineSnapshot(`
      {
        "answered_in": "… s",
        "cause": "The token has no privileges: every list will be empty.",
        "cure": "On a node: pveum acl modify / --tokens 'mcp@pve!nothing' --roles PVEAuditor (and to its user, when the token has privilege separation).",
        "endpoint": "127.0.0.1:…",
        "pve_version": "9.2.11",
        "state": "connected",
        "token": "mcp@pve!nothing",
      }
    `);
  });

  it('answers in time when the API says nothing', async () => {
    bench.world.switches.outage = 'silent';
    const began = performance.now();
    const { facts } = await bench.call('server_status');
    bench.world.switches.outage = undefined;
    expect(facts).toMatchObject({
      api: { state: 'no answer' },
      ssh: { checked: [{ state: 'connected' }] },
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('does not say read-only where no host is known', async () => {
    const { ssh } = bench.context();
    const none = { ...ssh, hosts: { ...ssh.hosts, list: async () => [] } };
    const { headline } = await bench.call('server_status', {}, { ssh: none });
    expect(headline).toContain('SSH 0 of 0 hosts connected');
  });

  it('leaves hosts alone in read-only mode', async () => {
    const told = await bench.call('server_status', {}, { setup: { ...setup, mode: 'read-only' } });
    expect(told.headline).toBe('proxmox-ssh-mcp 0.1.0, read-only mode; API connected, SSH off (read-only)');
    expect((told.facts as { ssh: { checked: unknown[] } }).ssh.checked).toEqual([
      { host: 'pve1', login: 'root@127.0.0.1:…' },
    ]);
  });

  it('tells the problems of the configuration', async () => {
    const problems = [{ cause: 'PROXMOX_HOST is not set.', cure: 'Set it.' }];
    const told = await bench.call('server_status', {}, { setup: { ...setup, problems, toolsets: ['ssh'] } });
    expect(told.headline).toBe(
      'proxmox-ssh-mcp 0.1.0, guarded mode; API off, SSH 1 of 1 host connected; 1 problem in the configuration',
    );
    expect(told.facts).toMatchObject({ problems });
    expect(told.facts).not.toHaveProperty('api');
  });
});
