/** Switching nodes, and all guests of one: the served methods, their permissions and parameters (notation: parse.ts). */
export const nodePowerMethods = `
POST /nodes/{node}/status protected Sys.PowerMgmt@/nodes/{node}
  command{reboot|shutdown} node<pve-node>
POST /nodes/{node}/startall protected all
  force?:bool max-workers?:int(1..64) node<pve-node> vms?<pve-vmid-list>
POST /nodes/{node}/stopall protected all
  force-stop?:bool max-workers?:int(1..64) node<pve-node> timeout?:int(0..7200) vms?<pve-vmid-list>
`;
