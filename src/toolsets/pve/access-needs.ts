/** What a tool needs to do all it can, one of these privileges on a path (by the API schema, `permissions` of each method). */
export interface Need {
  readonly anyOf: readonly string[];
  readonly path: string;
}

/** By tool, for Proxmox VE 9. Empty: it needs none, or it depends on the call. */
const table: Readonly<Record<string, string>> = {
  pct_exec: 'VM.Audit@/vms',
  pve_access_check: '',
  pve_api_call: '',
  pve_api_get: '',
  pve_api_search: '',
  pve_backup_create: 'VM.Backup@/vms Datastore.AllocateSpace@/storage',
  pve_backup_delete: 'Datastore.Allocate|Datastore.AllocateSpace@/storage VM.Backup@/vms',
  pve_backup_jobs: 'Sys.Audit@/',
  pve_backup_list: 'Datastore.Audit|Datastore.AllocateSpace@/storage VM.Backup@/vms',
  pve_backup_restore: 'VM.Allocate@/vms VM.Backup@/vms Datastore.AllocateSpace@/storage',
  pve_ct_create:
    'VM.Allocate@/vms VM.Config.Disk@/vms VM.Config.Network@/vms VM.Config.Options@/vms Datastore.AllocateSpace@/storage SDN.Use@/sdn',
  pve_disk_add: 'VM.Config.Disk@/vms Datastore.AllocateSpace@/storage',
  pve_disk_move: 'VM.Config.Disk@/vms Datastore.AllocateSpace@/storage',
  pve_disk_remove: 'VM.Config.Disk@/vms',
  pve_disk_resize: 'VM.Config.Disk@/vms',
  pve_download: 'Datastore.AllocateTemplate@/storage Sys.AccessNetwork|Sys.Modify@/nodes',
  pve_export: 'VM.Audit@/vms Sys.Audit@/nodes',
  pve_guest_clone: 'VM.Clone@/vms VM.Allocate@/vms Datastore.AllocateSpace@/storage SDN.Use@/sdn',
  pve_guest_configure: 'VM.Config.Options@/vms VM.Config.CPU@/vms VM.Config.Memory@/vms VM.Config.Cloudinit@/vms',
  pve_guest_delete: 'VM.Allocate@/vms',
  pve_guest_get: 'VM.Audit@/vms VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms',
  pve_guest_list: 'VM.Audit@/vms',
  pve_guest_migrate: 'VM.Migrate@/vms',
  pve_guest_power: 'VM.PowerMgmt@/vms',
  pve_guest_restore: 'VM.Allocate@/vms VM.Backup@/vms Datastore.AllocateSpace@/storage',
  pve_guest_stop: 'VM.PowerMgmt@/vms',
  pve_guest_template: 'VM.Allocate@/vms',
  pve_log: 'Sys.Syslog@/nodes VM.Console@/vms',
  pve_metrics: 'Sys.Audit@/nodes VM.Audit@/vms Datastore.Audit|Datastore.AllocateSpace@/storage',
  pve_nic_remove: 'VM.Config.Network@/vms',
  pve_nic_set: 'VM.Config.Network@/vms SDN.Use@/sdn',
  pve_node_get: 'Sys.Audit@/nodes Sys.Modify@/nodes',
  pve_dashboard: 'Sys.Audit@/ VM.Audit@/vms Datastore.Audit|Datastore.AllocateSpace@/storage',
  pve_overview: 'Sys.Audit@/ VM.Audit@/vms Datastore.Audit|Datastore.AllocateSpace@/storage',
  pve_snapshot_create: 'VM.Snapshot@/vms',
  pve_snapshot_delete: 'VM.Snapshot@/vms',
  pve_snapshot_list: 'VM.Audit@/vms',
  pve_snapshot_rollback: 'VM.Snapshot|VM.Snapshot.Rollback@/vms',
  pve_storage_content: 'Datastore.Audit|Datastore.AllocateSpace@/storage',
  pve_storage_list: 'Datastore.Audit|Datastore.AllocateSpace@/storage',
  pve_task_get: 'Sys.Audit@/nodes',
  pve_task_list: 'Sys.Audit@/nodes',
  pve_task_stop: 'Sys.Modify@/nodes',
  pve_vm_create:
    'VM.Allocate@/vms VM.Config.Disk@/vms VM.Config.Network@/vms VM.Config.Options@/vms Datastore.AllocateSpace@/storage SDN.Use@/sdn',
  pve_volume_delete: 'Datastore.Allocate|Datastore.AllocateSpace@/storage',
  vm_agent: 'VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms',
  vm_exec: 'VM.GuestAgent.Unrestricted@/vms',
};

/** Proxmox VE 8 has one privilege for all that the guest agent does (schema of 8.4). */
const named = (privilege: string, major: number): string =>
  major < 9 ? privilege.replace(/^VM\.GuestAgent\..*/, 'VM.Monitor') : privilege;

/** What each tool needs, in the words of that major version of Proxmox VE. */
export const needsOf = (major: number): ReadonlyMap<string, readonly Need[]> =>
  new Map(
    Object.entries(table).map(([tool, text]) => [
      tool,
      text.split(' ').flatMap((one) => {
        const [privileges = '', path = ''] = one.split('@');
        const anyOf = [...new Set(privileges.split('|').map((privilege) => named(privilege, major)))];
        return path === '' ? [] : [{ anyOf, path }];
      }),
    ]),
  );

/** The privileges of a role with which every tool does all it can; of alternatives, the first and least one. */
export const operatorPrivileges = (major: number): readonly string[] => {
  const needed = [...needsOf(major).values()].flat().map(({ anyOf }) => anyOf[0] ?? '');
  return [...new Set(needed)].sort();
};
