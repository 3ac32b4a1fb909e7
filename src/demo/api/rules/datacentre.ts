/** Version, cluster, storage definitions and access: the served methods, their permissions and parameters (notation: parse.ts). */
export const datacentreMethods = `
GET /version all
GET /cluster/status protected Sys.Audit@/
GET /cluster/resources all
  type?{vm|storage|node|sdn}
GET /cluster/tasks all
GET /cluster/nextid all
  vmid?:int(100..999999999)<pve-vmid>
GET /storage all
  type?{btrfs|cephfs|cifs|dir|esxi|iscsi|iscsidirect|lvm|lvmthin|nfs|pbs|rbd|zfs|zfspool}
GET /access/permissions all
  path? userid?/userid/
GET /access/users protected all
  enabled?:bool full?:bool
GET /access/users/{userid}/token/{tokenid} special
  tokenid/tokenid/ userid(..64)<pve-userid>
GET /access/acl all
POST /access/users protected special
  comment?(..2048) email?(..254)<email-opt> enable?:bool expire?:int(0..) firstname?(..1024)
  groups?<pve-groupid-list> keys?/keys/ lastname?(..1024) password?(8..64) userid(..64)<pve-userid>
PUT /access/password protected notoken special
  confirmation-password?(5..64) password(8..64) userid(..64)<pve-userid>
`;
