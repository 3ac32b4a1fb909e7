/** Migration, and the bridges of a node: the served methods, their permissions and parameters (notation: parse.ts). */
export const migrateMethods = `
GET /nodes/{node}/lxc/{vmid}/migrate protected VM.Migrate@/vms/{vmid}
  +guest target?<pve-node>
POST /nodes/{node}/lxc/{vmid}/migrate protected VM.Migrate@/vms/{vmid}
  +guest bwlimit?:num(0..) online?:bool restart?:bool target-storage?<storage-pair-list> target<pve-node> timeout?:int
GET /nodes/{node}/qemu/{vmid}/migrate protected VM.Migrate@/vms/{vmid}
  +guest target?<pve-node>
POST /nodes/{node}/qemu/{vmid}/migrate protected VM.Migrate@/vms/{vmid}
  +guest bwlimit?:int(0..) force?:bool migration_network?<CIDR> migration_type?{secure|insecure} online?:bool
  target<pve-node> targetstorage?<storage-pair-list> with-conntrack-state?:bool with-local-disks?:bool
GET /nodes/{node}/network all
  node<pve-node>
  type?{bridge|bond|eth|alias|vlan|fabric|OVSBridge|OVSBond|OVSPort|OVSIntPort|vnet|any_bridge|any_local_bridge|include_sdn}
`;
