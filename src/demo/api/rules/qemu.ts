/** VMs: the served methods, their permissions and parameters (notation: parse.ts). */
export const qemuMethods = `
GET /nodes/{node}/qemu protected all
  full?:bool node<pve-node>
POST /nodes/{node}/qemu protected all
  +guest +qemu-options archive?(..255) bwlimit?:int(0..) force?:bool^archive ha-managed?:bool
  import-working-storage?<pve-storage-id> live-restore?:bool pool?<pve-poolid> start?:bool storage?<pve-storage-id>
  unique?:bool^archive
DELETE /nodes/{node}/qemu/{vmid} protected VM.Allocate@/vms/{vmid}
  +guest destroy-unreferenced-disks?:bool purge?:bool skiplock?:bool
GET /nodes/{node}/qemu/{vmid}/status/current protected VM.Audit@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/config VM.Audit@/vms/{vmid}
  +guest current?:bool snapshot?(..40)<pve-configid>
PUT /nodes/{node}/qemu/{vmid}/config protected VM.Config.Disk|VM.Config.CDROM|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.HWType|VM.Config.Options|VM.Config.Cloudinit@/vms/{vmid}
  +guest +qemu-options delete?<pve-configid-list> digest?(..40) force?:bool^delete revert?<pve-configid-list>
  skiplock?:bool
GET /nodes/{node}/qemu/{vmid}/pending VM.Audit@/vms/{vmid}
  +guest
GET /nodes/{node}/qemu/{vmid}/snapshot protected VM.Audit@/vms/{vmid}
  +guest
POST /nodes/{node}/qemu/{vmid}/snapshot protected VM.Snapshot@/vms/{vmid}
  +guest description? snapname(..40)<pve-configid> vmstate?:bool
GET /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config VM.Snapshot|VM.Snapshot.Rollback|VM.Audit@/vms/{vmid}
  +guest snapname(..40)<pve-configid>
DELETE /nodes/{node}/qemu/{vmid}/snapshot/{snapname} protected VM.Snapshot@/vms/{vmid}
  +guest force?:bool snapname(..40)<pve-configid>
POST /nodes/{node}/qemu/{vmid}/snapshot/{snapname}/rollback protected VM.Snapshot|VM.Snapshot.Rollback@/vms/{vmid}
  +guest snapname(..40)<pve-configid> start?:bool
GET /nodes/{node}/qemu/{vmid}/rrddata protected VM.Audit@/vms/{vmid}
  +guest cf?{AVERAGE|MAX} timeframe{hour|day|week|month|year}
POST /nodes/{node}/qemu/{vmid}/status/start protected VM.PowerMgmt@/vms/{vmid}
  +guest force-cpu? machine?<#qemu-machine> migratedfrom?<pve-node> migration_network?<CIDR>
  migration_type?{secure|insecure} nets-host-mtu?/netshostmtu/ skiplock?:bool stateuri?(..128)
  targetstorage?<storage-pair-list> timeout?:int(0..) with-conntrack-state?:bool
POST /nodes/{node}/qemu/{vmid}/status/stop protected VM.PowerMgmt@/vms/{vmid}
  +guest keepActive?:bool migratedfrom?<pve-node> overrule-shutdown?:bool skiplock?:bool timeout?:int(0..)
POST /nodes/{node}/qemu/{vmid}/status/shutdown protected VM.PowerMgmt@/vms/{vmid}
  +guest forceStop?:bool keepActive?:bool skiplock?:bool timeout?:int(0..)
POST /nodes/{node}/qemu/{vmid}/status/reboot protected VM.PowerMgmt@/vms/{vmid}
  +guest timeout?:int(0..)
POST /nodes/{node}/qemu/{vmid}/status/suspend protected VM.PowerMgmt@/vms/{vmid}
  +guest skiplock?:bool statestorage?<pve-storage-id>^todisk todisk?:bool
POST /nodes/{node}/qemu/{vmid}/status/resume protected VM.PowerMgmt@/vms/{vmid}
  +guest nocheck?:bool skiplock?:bool
POST /nodes/{node}/qemu/{vmid}/status/reset protected VM.PowerMgmt@/vms/{vmid}
  +guest skiplock?:bool
POST /nodes/{node}/qemu/{vmid}/config protected VM.Config.Disk|VM.Config.CDROM|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.HWType|VM.Config.Options|VM.Config.Cloudinit@/vms/{vmid}
  +guest +qemu-options background_delay?:int(1..30) delete?<pve-configid-list> digest?(..40) force?:bool^delete
  import-working-storage?<pve-storage-id> revert?<pve-configid-list> skiplock?:bool
`;

/** The options that creating and changing a VM have in common. */
export const qemuOptions = `
  acpi?:bool affinity?<pve-cpuset> agent?<#qemu-agent> allow-ksm?:bool amd-sev?<pve-qemu-sev-fmt>
  arch?{x86_64|aarch64} args? audio0?<#qemu-audio0> autostart?:bool balloon?:int(0..) bios?{seabios|ovmf}
  boot?<pve-qm-boot> bootdisk?<pve-qm-bootdisk>/bootdisk/ cdrom?<pve-qm-ide> cicustom?<pve-qm-cicustom> cipassword?
  citype?{configdrive2|nocloud|opennebula} ciupgrade?:bool ciuser? cores?:int(1..) cpu?<pve-vm-cpu-conf>
  cpulimit?:num(0..128) cpuunits?:int(1..262144) description?(..8192) efidisk0?<#qemu-efidisk0> freeze?:bool
  hookscript?<pve-volume-id> hostpci[n]?<pve-qm-hostpci> hotplug?<pve-hotplug-features> hugepages?{any|2|1024}
  ide[n]?<#qemu-ide> intel-tdx?<pve-qemu-tdx-fmt> ipconfig[n]?<pve-qm-ipconfig> ivshmem?<#qemu-ivshmem>
  keephugepages?:bool
  keyboard?{de|de-ch|da|en-gb|en-us|es|fi|fr|fr-be|fr-ca|fr-ch|hu|is|it|ja|lt|mk|nl|no|pl|pt|pt-br|sv|sl|tr}
  kvm?:bool localtime?:bool lock?{backup|clone|create|migrate|rollback|snapshot|snapshot-delete|suspending|suspended}
  machine?<#qemu-machine> memory?<#qemu-memory> migrate_downtime?:num(0..) migrate_speed?:int(0..) name?<dns-name>
  nameserver?<address-list> net[n]?<#qemu-net> numa?:bool numa[n]?<#qemu-numa> onboot?:bool
  ostype?{other|wxp|w2k|w2k3|w2k8|wvista|win7|win8|win10|win11|l24|l26|solaris} parallel[n]?/paralleln/
  protection?:bool reboot?:bool rng0?<pve-qm-rng> sata[n]?<#qemu-sata> scsi[n]?<#qemu-scsi>
  scsihw?{lsi|lsi53c810|virtio-scsi-pci|virtio-scsi-single|megasas|pvscsi} searchdomain? serial[n]?/serialn/
  shares?:int(0..50000) smbios1?(..512)<pve-qm-smbios1> smp?:int(1..) sockets?:int(1..)
  spice_enhancements?<#qemu-spice_enhancements> sshkeys?<urlencoded> startdate?/startdate/
  startup?<pve-startup-order> tablet?:bool tags?<pve-tag-list> tdf?:bool template?:bool tpmstate0?<#qemu-tpmstate0>
  unused[n]?<#qemu-unused> usb[n]?<#qemu-usb> vcpus?:int(1..) vga?<#qemu-vga> virtio[n]?<#qemu-virtio>
  virtiofs[n]?<#qemu-virtiofs> vmgenid?/vmgenid/ vmstatestorage?<pve-storage-id> watchdog?<pve-qm-watchdog>
`;
