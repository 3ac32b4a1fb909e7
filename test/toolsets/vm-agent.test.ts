import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  expect(bench.writes()).toEqual([]);
  bench.forget();
});
afterAll(() => bench.stop());

describe('vm_agent', () => {
  it('tells all that the agent tells', async () => {
    expect(await bench.call('vm_agent', { guest: 'gitlab' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "agent_version": "10.0.13",
          "can_freeze": true,
          "filesystems": {
            "remote": "/ on sda1 ext4: 50 GiB of 119 GiB (42 %)
      /boot/efi on sda15 vfat: 11.2 MiB of 124 MiB (9 %)",
          },
          "freeze": "thawed",
          "interfaces": [
            {
              "addresses": [
                "192.168.2.90/24",
              ],
              "interface": "ens18",
            },
          ],
          "node": "pve2",
          "os": {
            "remote": "Ubuntu 24.04.3 LTS, kernel 6.12.48, x86_64",
          },
          "runs_commands": true,
          "vmid": 300,
        },
        "headline": "The guest agent of VM 300 (gitlab) answers",
      }
    `);
  });

  it('asks only for what is wanted', async () => {
    const { facts } = await bench.call('vm_agent', { guest: 200, what: ['freeze'] });
    expect(facts).toEqual({
      vmid: 200,
      node: 'pve1',
      agent_version: '10.0.13',
      runs_commands: true,
      freeze: 'thawed',
      can_freeze: true,
    });
  });

  it('sees frozen file systems, when nothing else is answered', async () => {
    const guest = bench.world.guest(200);
    if (guest) guest.frozen = true;
    const told = await bench.call('vm_agent', { guest: 200 });
    const failure = await bench.fails('vm_agent', { guest: 201 });
    if (guest) guest.frozen = false;
    expect(told).toMatchInlineSnapshot(`
      {
        "facts": {
          "agent_version": "10.0.13",
          "freeze": "frozen: a backup or snapshot is under way, and nothing else is answered",
          "node": "pve1",
          "vmid": 200,
        },
        "headline": "The guest agent of VM 200 (homeassistant) answers; its file systems are frozen",
      }
    `);
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "VM 201 (win11) on pve1 has no guest agent: its option agent is off.",
        "hint": "Set it (qm set 201 --agent 1 on pve1), and power the VM off and on. Inside the VM: apt install qemu-guest-agent (or dnf, zypper, apk add), then systemctl enable --now qemu-guest-agent; on Windows the installer is on the virtio-win ISO. A VM that is paused or still booting does not answer.",
        "kind": "conflict",
      }
    `);
  });

  it('tells a denial with its privilege', async () => {
    const own = {
      path: '/vms',
      type: 'token',
      ugid: 'mcp@pve!nothing',
      roleid: 'PVETemplateUser',
      propagate: true,
    } as const;
    bench.world.access.acl.push(own);
    const failure = await bench.fails('vm_agent', { guest: 200 }, { pve: bench.as('mcp@pve!nothing') });
    bench.world.access.acl.pop();
    expect(failure).toMatchInlineSnapshot(`
      {
        "facts": {
          "path": "/vms/200",
          "privilege": "VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted",
          "status": 403,
          "token": "mcp@pve!nothing",
        },
        "headline": "127.0.0.1:… denied GET /nodes/pve1/qemu/200/agent/info to mcp@pve!nothing: Permission check failed (/vms/200, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted). The token lacks VM.GuestAgent.Audit or VM.GuestAgent.Unrestricted on /vms/200. With privilege separation (the default) both the token and its user mcp@pve need it; without, only the user does.",
        "hint": "On the host: pveum acl modify /vms/200 --tokens 'mcp@pve!nothing' --roles PVEAuditor — and, unless mcp@pve has it already: pveum acl modify /vms/200 --users 'mcp@pve' --roles PVEAuditor",
        "kind": "permission",
      }
    `);
  });

  it('says that a container has none', async () => {
    expect(await bench.fails('vm_agent', { guest: 400 })).toMatchObject({ kind: 'invalid-input' });
  });
});
