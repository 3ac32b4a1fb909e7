/** Pools, HA and firewall rules: the served methods, their permissions and parameters (notation: parse.ts). */
export const groupMethods = `
GET /pools all
  poolid?<pve-poolid> type?{qemu|lxc|storage}^poolid
GET /cluster/ha/resources Sys.Audit@/
  type?{ct|vm}
GET /cluster/firewall/rules Sys.Audit@/
GET /nodes/{node}/lxc/{vmid}/firewall/rules VM.Audit@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/firewall/rules VM.Audit@/vms/{vmid}
  +guest
`;
