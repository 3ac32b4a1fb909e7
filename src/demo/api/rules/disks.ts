const some = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
/** Every disk that a VM can have. */
export const ofVm = [
  ...some('ide', 4),
  ...some('scsi', 31),
  ...some('virtio', 16),
  ...some('sata', 6),
  'efidisk0',
  'tpmstate0',
];
const ofContainer = ['rootfs', ...some('mp', 256)];
const unused = some('unused', 256);
const one = (names: readonly string[]): string => `{${names.join('|')}}`;

/** The disks of guests: the served methods, their permissions and parameters (notation: parse.ts). */
export const diskMethods = `
PUT /nodes/{node}/lxc/{vmid}/resize protected VM.Config.Disk@/vms/{vmid}
  +guest digest?(..40) disk${one(ofContainer)} size/growth/
PUT /nodes/{node}/qemu/{vmid}/resize protected VM.Config.Disk@/vms/{vmid}
  +guest digest?(..40) disk${one(ofVm)} size/growth/ skiplock?:bool
POST /nodes/{node}/lxc/{vmid}/move_volume protected VM.Config.Disk@/vms/{vmid}
  +guest bwlimit?:num(0..) delete?:bool digest?(..40) storage?<pve-storage-id> target-digest?(..40)
  target-vmid?:int(100..999999999)<pve-vmid> target-volume?${one([...ofContainer, ...unused])}
  volume${one([...ofContainer, ...unused])}
POST /nodes/{node}/qemu/{vmid}/move_disk protected VM.Config.Disk@/vms/{vmid}
  +guest bwlimit?:int(0..) delete?:bool digest?(..40) disk${one([...ofVm, ...unused])} format?{raw|qcow2|vmdk}
  storage?<pve-storage-id> target-digest?(..40) target-disk?${one([...ofVm, ...unused])}
  target-vmid?:int(100..999999999)<pve-vmid>
PUT /nodes/{node}/qemu/{vmid}/unlink protected VM.Config.Disk@/vms/{vmid}
  +guest force?:bool idlist<pve-configid-list>
`;
