/** What is watched of nodes and storages: the served methods, their permissions and parameters (notation: parse.ts). */
export const monitoringMethods = `
GET /nodes/{node}/apt/versions Sys.Audit@/nodes/{node}
  node<pve-node>
GET /nodes/{node}/disks/list protected special
  include-partitions?:bool node<pve-node> skipsmart?:bool type?{unused|journal_disks}
GET /nodes/{node}/storage/{storage}/rrddata protected Datastore.Audit|Datastore.AllocateSpace@/storage/{storage}
  cf?{AVERAGE|MAX} node<pve-node> storage<pve-storage-id> timeframe{hour|day|week|month|year}
GET /nodes/{node}/firewall/log protected Sys.Syslog@/nodes/{node}
  limit?:int(0..) node<pve-node> since?:int(0..) start?:int(0..) until?:int(0..)
GET /nodes/{node}/lxc/{vmid}/firewall/log protected VM.Console@/vms/{vmid}
  +guest limit?:int(0..) since?:int(0..) start?:int(0..) until?:int(0..)
GET /nodes/{node}/qemu/{vmid}/firewall/log protected VM.Console@/vms/{vmid}
  +guest limit?:int(0..) since?:int(0..) start?:int(0..) until?:int(0..)
`;
