import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rolePrivileges } from '../../src/demo/api/roles.ts';
import { tools } from '../../src/toolsets/index.ts';
import { needsOf } from '../../src/toolsets/pve/access-needs.ts';
import { type Bench, bent, setup, startBench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => {
  expect(bench.writes()).toEqual([]);
  bench.forget();
});
afterAll(() => bench.stop());

const as = (token: string) => ({ pve: bench.as(token), setup: { ...setup, token } });

describe('pve_access_check', () => {
  it('finds nothing missing for root', async () => {
    expect(await bench.call('pve_access_check')).toMatchInlineSnapshot(`
      {
        "facts": {
          "may": [
            {
              "on": [
                "/",
                "/access",
                "/access/groups",
                "/nodes",
                "/pool",
                "/sdn",
                "/storage",
                "/vms",
              ],
              "privileges": "Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Group.Allocate Mapping.Audit Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate Pool.Audit Realm.Allocate Realm.AllocateUser SDN.Allocate SDN.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming Sys.Modify Sys.PowerMgmt Sys.Syslog User.Modify VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Console VM.GuestAgent.Audit VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted VM.Migrate VM.PowerMgmt VM.Replicate VM.Snapshot VM.Snapshot.Rollback",
            },
          ],
          "never_by_a_token": "Whatever its privileges: bind mounts, LXC features but nesting, device passthrough, args, hookscripts and unlocking. They go over SSH as root.",
          "token": "root@pam!mcp",
          "user": "root@pam",
          "version": "9.2.11",
        },
        "headline": "root@pam!mcp on Proxmox VE 9.2.11: nothing is missing",
      }
    `);
  });

  it('tells what a lesser token lacks, for which tools, and the line that adds it', async () => {
    expect(await bench.call('pve_access_check', {}, as('mcp@pve!auditor'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "may": [
            {
              "on": [
                "/",
                "/access",
                "/access/groups",
                "/nodes",
                "/pool",
                "/sdn",
                "/storage",
                "/vms",
              ],
              "privileges": "Datastore.Audit Mapping.Audit Pool.Audit SDN.Audit Sys.Audit VM.Audit VM.GuestAgent.Audit",
            },
          ],
          "missing": [
            {
              "cure": "On the host: pveum acl modify /vms --tokens 'mcp@pve!auditor' --roles PVEVMUser — and, unless mcp@pve has it already: pveum acl modify /vms --users 'mcp@pve' --roles PVEVMUser",
              "on": "/vms",
              "privileges": "VM.Backup, VM.Config.Cloudinit, VM.Console, VM.PowerMgmt",
              "tools": "pve_backup_create pve_backup_delete pve_backup_list pve_backup_restore pve_guest_configure pve_guest_power pve_guest_restore pve_guest_stop pve_log",
            },
            {
              "cure": "On the host: pveum acl modify /storage --tokens 'mcp@pve!auditor' --roles PVEDatastoreUser — and, unless mcp@pve has it already: pveum acl modify /storage --users 'mcp@pve' --roles PVEDatastoreUser",
              "on": "/storage",
              "privileges": "Datastore.AllocateSpace",
              "tools": "pve_backup_create pve_backup_restore pve_ct_create pve_disk_add pve_disk_move pve_guest_clone pve_guest_restore pve_vm_create",
            },
            {
              "cure": "On the host: pveum acl modify /storage --tokens 'mcp@pve!auditor' --roles PVEDatastoreAdmin — and, unless mcp@pve has it already: pveum acl modify /storage --users 'mcp@pve' --roles PVEDatastoreAdmin",
              "on": "/storage",
              "privileges": "Datastore.Allocate or Datastore.AllocateSpace, Datastore.AllocateTemplate",
              "tools": "pve_backup_delete pve_download pve_volume_delete",
            },
            {
              "cure": "On the host: pveum acl modify /vms --tokens 'mcp@pve!auditor' --roles PVEVMAdmin — and, unless mcp@pve has it already: pveum acl modify /vms --users 'mcp@pve' --roles PVEVMAdmin",
              "on": "/vms",
              "privileges": "VM.Allocate, VM.Clone, VM.Config.CPU, VM.Config.Disk, VM.Config.Memory, VM.Config.Network, VM.Config.Options, VM.GuestAgent.Unrestricted, VM.Migrate, VM.Snapshot, VM.Snapshot or VM.Snapshot.Rollback",
              "tools": "pve_backup_restore pve_ct_create pve_disk_add pve_disk_move pve_disk_remove pve_disk_resize pve_guest_clone pve_guest_configure pve_guest_delete pve_guest_migrate pve_guest_restore pve_guest_template pve_nic_remove pve_nic_set pve_snapshot_create pve_snapshot_delete pve_snapshot_rollback pve_vm_create vm_exec",
            },
            {
              "cure": "On the host: pveum acl modify /sdn --tokens 'mcp@pve!auditor' --roles PVESDNUser — and, unless mcp@pve has it already: pveum acl modify /sdn --users 'mcp@pve' --roles PVESDNUser",
              "on": "/sdn",
              "privileges": "SDN.Use",
              "tools": "pve_ct_create pve_guest_clone pve_nic_set pve_vm_create",
            },
            {
              "cure": "On the host: pveum acl modify /nodes --tokens 'mcp@pve!auditor' --roles Administrator — and, unless mcp@pve has it already: pveum acl modify /nodes --users 'mcp@pve' --roles Administrator — a bigger step: no smaller built-in role holds Sys.AccessNetwork. \`pveum role add NAME --privs Sys.AccessNetwork,Sys.Audit\` makes a small one to use instead.",
              "on": "/nodes",
              "privileges": "Sys.AccessNetwork or Sys.Modify",
              "tools": "pve_download",
            },
            {
              "cure": "On the host: pveum acl modify /nodes --tokens 'mcp@pve!auditor' --roles PVESysAdmin — and, unless mcp@pve has it already: pveum acl modify /nodes --users 'mcp@pve' --roles PVESysAdmin",
              "on": "/nodes",
              "privileges": "Sys.Syslog",
              "tools": "pve_log",
            },
            {
              "cure": "On the host: pveum acl modify /nodes --tokens 'mcp@pve!auditor' --roles Administrator — and, unless mcp@pve has it already: pveum acl modify /nodes --users 'mcp@pve' --roles Administrator — a bigger step: no smaller built-in role holds Sys.Modify. \`pveum role add NAME --privs Sys.Modify,Sys.Audit\` makes a small one to use instead.",
              "on": "/nodes",
              "privileges": "Sys.Modify",
              "tools": "pve_node_get pve_task_stop",
            },
          ],
          "never_by_a_token": "Whatever its privileges: bind mounts, LXC features but nesting, device passthrough, args, hookscripts and unlocking. They go over SSH as root.",
          "token": "mcp@pve!auditor",
          "user": "mcp@pve",
          "version": "9.2.11",
        },
        "headline": "mcp@pve!auditor on Proxmox VE 9.2.11: 29 of 43 tools lack a privilege",
      }
    `);
  });

  it('looks at one guest', async () => {
    const { headline, facts } = await bench.call('pve_access_check', { path: '/vms/400' }, as('mcp@pve!operator'));
    expect(headline).toMatch(/^mcp@pve!operator on Proxmox VE 9.2.11 on \/vms\/400: nothing is missing/);
    expect(facts).toMatchObject({ may: [{ on: ['/vms/400'] }] });
    const auditor = await bench.call('pve_access_check', { path: '/vms/400' }, as('mcp@pve!auditor'));
    expect(auditor.facts).toMatchObject({ missing: [{ on: '/vms/400' }, { on: '/vms/400' }] });
  });

  it('says where a privilege is held, when not everywhere', async () => {
    const own = {
      path: '/vms/400',
      type: 'token',
      ugid: 'mcp@pve!nothing',
      roleid: 'PVEVMAdmin',
      propagate: true,
    } as const;
    bench.world.access.acl.push(own);
    const { facts } = await bench.call('pve_access_check', {}, as('mcp@pve!nothing'));
    bench.world.access.acl.pop();
    const missing = (facts as { missing: { privileges: string }[] }).missing.find((row) =>
      row.privileges.includes('VM.PowerMgmt'),
    );
    expect(missing).toMatchObject({ on: '/vms', held_only_on: ['/vms/400'] });
  });

  it('knows the privileges of Proxmox VE 8', async () => {
    const old = bent(/^\/version/, (body) => body.replace(/"version":"[^"]+"/, '"version":"8.4.1"'));
    const token = 'mcp@pve!auditor';
    const over = { pve: bench.as(token, old), setup: { ...setup, token } };
    const { facts } = await bench.call('pve_access_check', { path: '/vms/200' }, over);
    const missing = JSON.stringify((facts as { missing: unknown }).missing);
    expect(missing).toContain('VM.Monitor');
    expect(missing).not.toContain('GuestAgent');
  });

  it('tells a token that nobody knows', async () => {
    const failure = await bench.fails('pve_access_check', {}, { pve: bench.as('mcp@pve!gone') });
    expect(failure).toMatchObject({ kind: 'authentication' });
  }, 15_000);
});

describe('what the tools need', () => {
  it('is told for every tool that uses the API, and for no other', () => {
    const using = tools.filter(({ toolset, name }) => toolset === 'pve' || name === 'pct_exec').map(({ name }) => name);
    expect([...needsOf(9).keys()].sort()).toEqual(using.sort());
  });

  it('are privileges that there are', () => {
    const all = rolePrivileges('Administrator');
    const named = [...needsOf(9).values()].flat().flatMap(({ anyOf }) => anyOf);
    expect(named.filter((privilege) => !all.includes(privilege))).toEqual([]);
  });
});
