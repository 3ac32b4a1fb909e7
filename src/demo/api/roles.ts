const words = (text: string): string[] => text.trim().split(/\s+/);

const vm = words(`
  VM.Allocate VM.Audit VM.Backup VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk
  VM.Config.HWType VM.Config.Memory VM.Config.Network VM.Config.Options VM.Console VM.GuestAgent.Audit
  VM.GuestAgent.FileRead VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.GuestAgent.Unrestricted VM.Migrate
  VM.PowerMgmt VM.Replicate VM.Snapshot VM.Snapshot.Rollback
`);

const rest = words(`
  Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Group.Allocate Mapping.Audit
  Mapping.Modify Mapping.Use Permissions.Modify Pool.Allocate Pool.Audit Realm.Allocate Realm.AllocateUser SDN.Allocate
  SDN.Audit SDN.Use Sys.AccessNetwork Sys.Audit Sys.Console Sys.Incoming Sys.Modify Sys.PowerMgmt Sys.Syslog User.Modify
`);

/** The privileges of PVE 9's own roles (recordings r-perm-path and r-perm-aud; pveum role list). */
const roles: Readonly<Record<string, readonly string[]>> = {
  Administrator: [...vm, ...rest],
  PVEAuditor: words('Datastore.Audit Mapping.Audit Pool.Audit SDN.Audit Sys.Audit VM.Audit VM.GuestAgent.Audit'),
  PVETemplateUser: words('VM.Audit VM.Clone'),
  PVEVMAdmin: vm,
  PVEVMUser: words(
    'VM.Audit VM.Backup VM.Config.CDROM VM.Config.Cloudinit VM.Console VM.GuestAgent.Audit VM.PowerMgmt',
  ),
  NoAccess: [],
};

export const rolePrivileges = (role: string): readonly string[] => roles[role] ?? [];
