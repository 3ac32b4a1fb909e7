/** The guest agent: the served methods, their permissions and parameters (notation: parse.ts). */
export const agentMethods = `
GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
POST /nodes/{node}/qemu/{vmid}/agent/ping protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/agent/info protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/agent/get-fsinfo protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/agent/get-host-name protected VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest
POST /nodes/{node}/qemu/{vmid}/agent/exec protected VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest command:list input-data?(..65536)
GET /nodes/{node}/qemu/{vmid}/agent/exec-status protected VM.GuestAgent.Unrestricted@/vms/{vmid}
  +guest pid:int
`;
