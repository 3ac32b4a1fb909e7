import { ofVm } from './disks.ts';

/** Copies, templates and what containers are made from: the served methods, their permissions and parameters (notation: parse.ts). */
export const provisionMethods = `
POST /nodes/{node}/lxc/{vmid}/clone protected special
  +guest bwlimit?:num(0..) description? full?:bool hostname?<dns-name> newid:int(100..999999999)<pve-vmid>
  pool?<pve-poolid> snapname?(..40)<pve-configid> storage?<pve-storage-id> target?<pve-node>
POST /nodes/{node}/qemu/{vmid}/clone protected special
  +guest bwlimit?:int(0..) description? format?{raw|qcow2|vmdk} full?:bool name?<dns-name>
  newid:int(100..999999999)<pve-vmid> pool?<pve-poolid> snapname?(..40)<pve-configid> storage?<pve-storage-id>
  target?<pve-node>
POST /nodes/{node}/lxc/{vmid}/template protected VM.Allocate@/vms/{vmid}
  +guest
POST /nodes/{node}/qemu/{vmid}/template protected VM.Allocate@/vms/{vmid}
  +guest disk?{${ofVm.join('|')}}
GET /nodes/{node}/aplinfo all
  node<pve-node>
POST /nodes/{node}/aplinfo protected Datastore.AllocateTemplate@/storage/{storage}
  node<pve-node> storage<pve-storage-id> template(..255)
GET /cluster/replication all
`;
