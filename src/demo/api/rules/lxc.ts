/** Containers: the served methods, their permissions and parameters (notation: parse.ts). */
export const lxcMethods = `
GET /nodes/{node}/lxc protected all
  node<pve-node>
POST /nodes/{node}/lxc protected all
  +guest +lxc-options bwlimit?:num(0..) force?:bool ha-managed?:bool ignore-unpack-errors?:bool ostemplate(..255)
  password?(5..) pool?<pve-poolid> restore?:bool ssh-public-keys? start?:bool storage?<pve-storage-id>
  unique?:bool^restore
DELETE /nodes/{node}/lxc/{vmid} protected VM.Allocate@/vms/{vmid}
  +guest destroy-unreferenced-disks?:bool force?:bool purge?:bool
GET /nodes/{node}/lxc/{vmid}/status/current protected VM.Audit@/vms/{vmid}
  +guest
GET /nodes/{node}/lxc/{vmid}/config VM.Audit@/vms/{vmid}
  +guest current?:bool snapshot?(..40)<pve-configid>
PUT /nodes/{node}/lxc/{vmid}/config protected VM.Config.Disk|VM.Config.CPU|VM.Config.Memory|VM.Config.Network|VM.Config.Options@/vms/{vmid}
  +guest +lxc-options delete?<pve-configid-list> digest?(..40) revert?<pve-configid-list>
GET /nodes/{node}/lxc/{vmid}/pending VM.Audit@/vms/{vmid}
  +guest
GET /nodes/{node}/lxc/{vmid}/snapshot protected VM.Audit@/vms/{vmid}
  +guest
POST /nodes/{node}/lxc/{vmid}/snapshot protected VM.Snapshot@/vms/{vmid}
  +guest description? snapname(..40)<pve-configid>
GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config VM.Snapshot|VM.Snapshot.Rollback|VM.Audit@/vms/{vmid}
  +guest snapname(..40)<pve-configid>
DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname} protected VM.Snapshot@/vms/{vmid}
  +guest force?:bool snapname(..40)<pve-configid>
POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback protected VM.Snapshot|VM.Snapshot.Rollback@/vms/{vmid}
  +guest snapname(..40)<pve-configid> start?:bool
GET /nodes/{node}/lxc/{vmid}/rrddata protected VM.Audit@/vms/{vmid}
  +guest cf?{AVERAGE|MAX} timeframe{hour|day|week|month|year}
POST /nodes/{node}/lxc/{vmid}/status/start protected VM.PowerMgmt@/vms/{vmid}
  +guest debug?:bool skiplock?:bool
POST /nodes/{node}/lxc/{vmid}/status/stop protected VM.PowerMgmt@/vms/{vmid}
  +guest overrule-shutdown?:bool skiplock?:bool
POST /nodes/{node}/lxc/{vmid}/status/shutdown protected VM.PowerMgmt@/vms/{vmid}
  +guest forceStop?:bool timeout?:int(0..)
POST /nodes/{node}/lxc/{vmid}/status/reboot protected VM.PowerMgmt@/vms/{vmid}
  +guest timeout?:int(0..)
POST /nodes/{node}/lxc/{vmid}/status/suspend protected VM.PowerMgmt@/vms/{vmid}
  +guest
POST /nodes/{node}/lxc/{vmid}/status/resume protected VM.PowerMgmt@/vms/{vmid}
  +guest
GET /nodes/{node}/lxc/{vmid}/interfaces protected VM.Audit@/vms/{vmid}
  +guest
`;

/** The options that creating and changing a container have in common. */
export const lxcOptions = `
  arch?{amd64|i386|arm64|armhf|riscv32|riscv64} cmode?{shell|console|tty} console?:bool cores?:int(1..8192)
  cpulimit?:num(0..8192) cpuunits?:int(0..500000) debug?:bool description?(..8192) dev[n]?<#lxc-dev>
  entrypoint?/entrypoint/ env?/env/ features?<#lxc-features> hookscript?<pve-volume-id> hostname?(..255)<dns-name>
  lock?{backup|create|destroyed|disk|fstrim|migrate|mounted|rollback|snapshot|snapshot-delete} memory?:int(16..)
  mp[n]?<#lxc-mp> nameserver?<lxc-ip-with-ll-iface-list> net[n]?<#lxc-net> onboot?:bool
  ostype?{debian|devuan|ubuntu|centos|fedora|opensuse|archlinux|alpine|gentoo|nixos|unmanaged} protection?:bool
  rootfs?<#lxc-rootfs> searchdomain?<dns-name-list> startup?<pve-startup-order> swap?:int(0..) tags?<pve-tag-list>
  template?:bool timezone?<pve-ct-timezone> tty?:int(0..6) unprivileged?:bool unused[n]?<#lxc-unused>
`;
