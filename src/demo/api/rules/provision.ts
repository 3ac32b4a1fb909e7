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
  +guest disk?{ide0|ide1|ide2|ide3|scsi0|scsi1|scsi2|scsi3|scsi4|scsi5|scsi6|scsi7|scsi8|scsi9|scsi10|scsi11|scsi12|scsi13|scsi14|scsi15|scsi16|scsi17|scsi18|scsi19|scsi20|scsi21|scsi22|scsi23|scsi24|scsi25|scsi26|scsi27|scsi28|scsi29|scsi30|virtio0|virtio1|virtio2|virtio3|virtio4|virtio5|virtio6|virtio7|virtio8|virtio9|virtio10|virtio11|virtio12|virtio13|virtio14|virtio15|sata0|sata1|sata2|sata3|sata4|sata5|efidisk0|tpmstate0}
GET /nodes/{node}/aplinfo all
  node<pve-node>
POST /nodes/{node}/aplinfo protected Datastore.AllocateTemplate@/storage/{storage}
  node<pve-node> storage<pve-storage-id> template(..255)
GET /cluster/replication all
`;
