/** The property strings (`name=eth0,bridge=vmbr0`) by the name that parse.ts refers to them with `<#name>`. */
export const propertyStrings = `
qemu-drive
  *file<pve-volume-id-or-qm-path> aio?{native|threads|io_uring} backup?:bool bps?:int bps_max_length?:int(1..)
  bps_rd?:int bps_rd_length:-=bps_rd_max_length bps_rd_max_length?:int(1..) bps_wr?:int
  bps_wr_length:-=bps_wr_max_length bps_wr_max_length?:int(1..) cache?{none|writethrough|writeback|unsafe|directsync}
  detect_zeroes?:bool discard?{ignore|on} format?{raw|qcow|qed|qcow2|vmdk|cloop}
  import-from?<pve-volume-id-or-absolute-path> iops?:int iops_max?:int iops_max_length?:int(1..) iops_rd?:int
  iops_rd_length:-=iops_rd_max_length iops_rd_max?:int iops_rd_max_length?:int(1..) iops_wr?:int
  iops_wr_length:-=iops_wr_max_length iops_wr_max?:int iops_wr_max_length?:int(1..) mbps?:num mbps_max?:num
  mbps_rd?:num mbps_rd_max?:num mbps_wr?:num mbps_wr_max?:num media?{cdrom|disk} replicate?:bool
  rerror?{ignore|report|stop} serial?(..60)<urlencoded> shared?:bool size?<disk-size> snapshot?:bool volume:-=file
  werror?{enospc|ignore|report|stop}
lxc-dev
  *path?<pve-lxc-dev-string> deny-write?:bool gid?:int(0..) mode?/mode/ uid?:int(0..)
lxc-features
  force_rw_sys?:bool fuse?:bool keyctl?:bool mknod?:bool mount?/mount/ nesting?:bool
lxc-mp
  *volume<pve-lxc-mp-string> acl?:bool backup?:bool idmap?/idmap/ keepattrs?:bool mountoptions?/mountoptions/
  mp<pve-lxc-mp-string> quota?:bool replicate?:bool ro?:bool shared?:bool size?<disk-size>
lxc-net
  bridge?/bridge/ firewall?:bool gw6?<ipv6> gw?<ipv4> host-managed?:bool hwaddr?<mac-addr> ip6?<pve-ipv6-config>
  ip?<pve-ipv4-config> link_down?:bool mtu?:int(64..65535) name/bridge/ rate?:num tag?:int(1..4094) trunks?/trunks/
  type?{veth}
lxc-rootfs
  *volume<pve-lxc-mp-string> acl?:bool idmap?/idmap/ mountoptions?/mountoptions/ quota?:bool replicate?:bool ro?:bool
  shared?:bool size?<disk-size>
lxc-unused
  *volume<pve-volume-id>
qemu-agent
  *enabled:bool freeze-fs-on-backup:-=freeze-fs freeze-fs?:bool fstrim_cloned_disks?:bool guest-fsfreeze:-=freeze-fs
  type?{virtio|isa}
qemu-audio0
  device{ich9-intel-hda|intel-hda|AC97} driver?{spice|none}
qemu-efidisk0
  *file<pve-volume-id-or-qm-path> efitype?{2m|4m} format?{raw|qcow|qed|qcow2|vmdk|cloop}
  import-from?<pve-volume-id-or-absolute-path> ms-cert?{2011|2023|2023w|2023k} pre-enrolled-keys?:bool
  size?<disk-size> volume:-=file
qemu-ide
  +qemu-drive model?(..120)<urlencoded> ssd?:bool wwn?/wwn/
qemu-ivshmem
  name?/name/ size:int(1..)
qemu-machine
  *type?(..40)/type/ aw-bits?:num(32..64) enable-s3?:bool enable-s4?:bool viommu?{intel|virtio}
qemu-memory
  *current:int(16..)
qemu-net
  *model{e1000|e1000-82540em|e1000-82544gc|e1000-82545em|e1000e|i82551|i82557b|i82559er|ne2k_isa|ne2k_pci|pcnet|rtl8139|virtio|vmxnet3}
  bridge?<pve-bridge-id> e1000-82540em:-=macaddr@model e1000-82544gc:-=macaddr@model e1000-82545em:-=macaddr@model
  e1000:-=macaddr@model e1000e:-=macaddr@model firewall?:bool host-tunnel?:bool i82551:-=macaddr@model
  i82557b:-=macaddr@model i82559er:-=macaddr@model link_down?:bool macaddr?<mac-addr> mtu?:int(1..65520)
  ne2k_isa:-=macaddr@model ne2k_pci:-=macaddr@model pcnet:-=macaddr@model queues?:int(0..64) rate?:num(0..)
  rtl8139:-=macaddr@model tag?:int(1..4094) trunks?/trunks2/ virtio:-=macaddr@model vmxnet3:-=macaddr@model
qemu-numa
  cpus/trunks2/ hostnodes?/trunks2/ memory?:num policy?{preferred|bind|interleave}
qemu-sata
  +qemu-drive ssd?:bool wwn?/wwn/
qemu-scsi
  +qemu-drive iothread?:bool product?/product/ queues?:int(2..) ro?:bool scsiblock?:bool ssd?:bool vendor?/vendor/
  wwn?/wwn/
qemu-spice_enhancements
  foldersharing?:bool videostreaming?{off|all|filter}
qemu-tpmstate0
  *file<pve-volume-id-or-qm-path> format?{raw|qcow2|vmdk} import-from?<pve-volume-id-or-absolute-path>
  size?<disk-size> version?{v1.2|v2.0} volume:-=file
qemu-unused
  *file<pve-volume-id> volume:-=file
qemu-usb
  *host?/host/ mapping?<pve-configid> usb3?:bool
qemu-vga
  *type?{cirrus|qxl|qxl2|qxl3|qxl4|none|serial0|serial1|serial2|serial3|std|virtio|virtio-gl|vmware} clipboard?{vnc}
  memory?:int(4..512)
qemu-virtio
  +qemu-drive iothread?:bool ro?:bool
qemu-virtiofs
  *dirid<pve-configid> cache?{auto|always|metadata|never} direct-io?:bool expose-acl?:bool expose-xattr?:bool
`;

/** PVE's own regular expressions, as its schema has them; `/name/` refers to them. */
export const patterns: Readonly<Record<string, string>> = {
  entrypoint: String.raw`(?^:[^\x00-\x08\x0a-\x1F\x7F]+)`,
  env: String.raw`(?^:(?:\w+=[^\x00-\x08\x0a-\x1F\x7F]*)(?:\0\w+=[^\x00-\x08\x0a-\x1F\x7F]*)*)`,
  bootdisk: String.raw`(ide|sata|scsi|virtio)\d+`,
  paralleln: String.raw`/dev/parport\d+|/dev/usb/lp\d+`,
  serialn: '(/dev/[^,]+|socket)',
  startdate: String.raw`(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)`,
  vmgenid: '(?:[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}|[01])',
  netshostmtu: String.raw`net\d+=\d+(,net\d+=\d+)*`,
  userid: String.raw`(?^:^(?^:[^\s:/]+)\@(?^:[A-Za-z][A-Za-z0-9\.\-_]+)(?:!(?^:[A-Za-z][A-Za-z0-9\.\-_]+))?$)`,
  tokenid: String.raw`(?^:[A-Za-z][A-Za-z0-9\.\-_]+)`,
  keys: '[0-9a-zA-Z!=]{0,4096}',
  since: String.raw`^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?$`,
  priority: String.raw`^([0-7](\.\.[0-7])?)?$`,
  service: String.raw`^[A-Za-z0-9_.@:*?!\[\]\/-]+$`,
  unit: '^[A-Za-z0-9_.@:-]+$',
  jobid: String.raw`\S+`,
  mode: '0[0-7]{3}',
  mount: '(?^:[a-zA-Z0-9_; ]+)',
  idmap: '(?^:^(?:passthrough|[ug]:[0-9]+:[0-9]+:[1-9][0-9]*(?:;[ug]:[0-9]+:[0-9]+:[1-9][0-9]*)*)$)',
  mountoptions:
    '(?^:(?^:(discard|lazytime|noatime|nodev|noexec|nosuid))(;(?^:(discard|lazytime|noatime|nodev|noexec|nosuid)))*)',
  bridge: String.raw`[-_.\w\d]+`,
  trunks: String.raw`(?^:\d+(?:;\d+)*)`,
  wwn: '(?^:^(0x)[0-9a-fA-F]{16})',
  name: String.raw`[a-zA-Z0-9\-]+`,
  type: String.raw`(pc|pc(-i440fx)?-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|q35|pc-q35-\d+(\.\d+)+(\+pve\d+)?(\.pxe)?|virt(?:-\d+(\.\d+)+)?(\+pve\d+)?)`,
  url: 'https?://.*',
  growth: String.raw`\+?\d+(\.\d+)?[KMGT]?`,
  trunks2: String.raw`(?^:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)`,
  product: String.raw`[A-Za-z0-9\-_\s]{,16}`,
  vendor: String.raw`[A-Za-z0-9\-_\s]{,8}`,
  host: String.raw`(?^:(?:(?:(?^:(0x)?([0-9A-Fa-f]{4}):(0x)?([0-9A-Fa-f]{4})))|(?:(?^:(\d+)\-(\d+(\.\d+)*)))|[Ss][Pp][Ii][Cc][Ee]))`,
};
