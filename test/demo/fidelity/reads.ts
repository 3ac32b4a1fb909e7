interface Read {
  /** What the demo is asked; UPID stands for one of its tasks. */
  readonly path: string;
  /** The method of the schema whose `returns` may name more fields. */
  readonly method: string;
  /** Recordings of the same method. */
  readonly from: readonly string[];
  /** Recorded fields that this very answer need not have: they come from another state or another configuration. */
  readonly lacks?: readonly string[];
  /** Where Proxmox VE itself does not keep to its schema, and no recording holds it. */
  readonly odd?: readonly string[];
  /** A method of the schema whose parameters may be fields too. */
  readonly also?: string;
}

const guest = '/nodes/{node}/';

/** Every reading method that is served, and what its answer is compared with. */
export const reads: readonly Read[] = [
  { path: '/version', method: 'GET /version', from: ['n-version'] },
  { path: '/cluster/status', method: 'GET /cluster/status', from: ['k-status'] },
  { path: '/cluster/resources', method: 'GET /cluster/resources', from: ['j-resources-vm', 'z-resources'] },
  { path: '/cluster/tasks', method: 'GET /cluster/tasks', from: ['c-ctasks'] },
  { path: '/cluster/nextid', method: 'GET /cluster/nextid', from: ['n-nextid'] },
  { path: '/nodes', method: 'GET /nodes', from: ['k-nodes'] },
  { path: '/pools', method: 'GET /pools', from: [] },
  {
    path: '/nodes/pve1/lxc/102/firewall/rules',
    method: 'GET /nodes/{node}/lxc/{vmid}/firewall/rules',
    from: ['c-fwrules'],
  },
  { path: '/nodes/pve1/status', method: 'GET /nodes/{node}/status', from: ['k-remote'] },
  {
    path: '/storage',
    method: 'GET /storage',
    from: [],
    also: 'POST /storage',
    odd: ['[].digest is not a field of Proxmox VE'],
  },
  { path: '/nodes/pve1/storage', method: 'GET /nodes/{node}/storage', from: [] },
  { path: '/nodes/pve1/storage/local/content', method: 'GET /nodes/{node}/storage/{storage}/content', from: ['c-bak'] },
  {
    path: '/nodes/pve1/lxc',
    method: 'GET /nodes/{node}/lxc',
    from: ['l-status'],
    lacks: ['[].ha', '[].ha.managed', '[].lock'],
  },
  {
    path: '/nodes/pve1/qemu',
    method: 'GET /nodes/{node}/qemu',
    from: ['d-vm-status'],
    lacks: [
      '[].nics',
      '[].nics.*',
      '[].nics.*.netout',
      '[].nics.*.netin',
      '[].agent',
      '[].qmpstatus',
      '[].ha',
      '[].ha.managed',
    ],
  },
  {
    path: '/nodes/pve1/lxc/410/status/current',
    method: `GET ${guest}lxc/{vmid}/status/current`,
    from: ['l-status'],
    lacks: ['.lock'],
  },
  {
    path: '/nodes/pve1/lxc/400/status/current',
    method: `GET ${guest}lxc/{vmid}/status/current`,
    from: ['n-status'],
    lacks: ['.lock'],
  },
  {
    path: '/nodes/pve1/qemu/200/status/current',
    method: `GET ${guest}qemu/{vmid}/status/current`,
    from: ['d-vm-status'],
  },
  {
    path: '/nodes/pve1/qemu/9000/status/current',
    method: `GET ${guest}qemu/{vmid}/status/current`,
    from: ['j-qs-current'],
  },
  { path: '/nodes/pve1/lxc/410/config', method: `GET ${guest}lxc/{vmid}/config`, from: ['a-config'] },
  {
    path: '/nodes/pve1/qemu/200/config',
    method: `GET ${guest}qemu/{vmid}/config`,
    from: ['q2-config'],
    lacks: ['.sshkeys', '.kvm', '.ciuser', '.ipconfig0', '.ide2'],
  },
  { path: '/nodes/pve1/lxc/410/pending', method: `GET ${guest}lxc/{vmid}/pending`, from: ['c-pending2'] },
  { path: '/nodes/pve1/qemu/200/pending', method: `GET ${guest}qemu/{vmid}/pending`, from: ['q2-pending'] },
  {
    path: '/nodes/pve1/lxc/400/snapshot',
    method: `GET ${guest}lxc/{vmid}/snapshot`,
    from: ['q2-snaps'],
    lacks: ['[].vmstate'],
  },
  { path: '/nodes/pve1/qemu/200/snapshot', method: `GET ${guest}qemu/{vmid}/snapshot`, from: ['q2-snaps'] },
  {
    path: '/nodes/pve1/lxc/410/interfaces',
    method: `GET ${guest}lxc/{vmid}/interfaces`,
    from: [],
    odd: ['[].ip-addresses[].prefix is string, Proxmox VE has number'],
  },
  {
    path: '/nodes/pve1/qemu/200/agent/network-get-interfaces',
    method: `GET ${guest}qemu/{vmid}/agent/network-get-interfaces`,
    from: ['agent-net'],
  },
  { path: '/nodes/pve1/tasks', method: 'GET /nodes/{node}/tasks', from: ['c-tasks2', 'k-task-remote'] },
  { path: '/nodes/pve1/tasks/UPID/status', method: 'GET /nodes/{node}/tasks/{upid}/status', from: ['j-upid-enc'] },
  { path: '/nodes/pve1/tasks/UPID/log', method: 'GET /nodes/{node}/tasks/{upid}/log', from: ['tasklog-page'] },
  { path: '/cluster/backup', method: 'GET /cluster/backup', from: ['c-jobs'] },
  { path: '/cluster/backup-info/not-backed-up', method: 'GET /cluster/backup-info/not-backed-up', from: [] },
  {
    path: '/nodes/pve1/storage/pbs/content',
    method: 'GET /nodes/{node}/storage/{storage}/content',
    from: ['c-bak'],
    lacks: ['[].notes'],
  },
  { path: '/access/permissions?path=/vms/100', method: 'GET /access/permissions', from: ['r-perm-path'] },
  { path: '/access/acl', method: 'GET /access/acl', from: ['r-acl'] },
  { path: '/access/users', method: 'GET /access/users', from: [] },
  {
    path: '/access/users/mcp@pve/token/auditor',
    method: 'GET /access/users/{userid}/token/{tokenid}',
    from: ['r-token-get'],
  },
  { path: '/nodes/pve1/time', method: 'GET /nodes/{node}/time', from: ['c-time'] },
  { path: '/nodes/pve1/services', method: 'GET /nodes/{node}/services', from: ['c-services'] },
  {
    path: '/nodes/pve1/services/pvestatd/state',
    method: 'GET /nodes/{node}/services/{service}/state',
    from: ['c-svc-state'],
  },
  { path: '/nodes/pve1/certificates/info', method: 'GET /nodes/{node}/certificates/info', from: ['c-certs'] },
  { path: '/nodes/pve1/network', method: 'GET /nodes/{node}/network', from: ['c-netget'] },
  { path: '/nodes/pve1/lxc/410/migrate', method: `GET ${guest}lxc/{vmid}/migrate`, from: [] },
  {
    path: '/nodes/pve1/qemu/200/migrate',
    method: `GET ${guest}qemu/{vmid}/migrate`,
    from: [],
  },
  { path: '/nodes/pve1/rrddata?timeframe=hour', method: 'GET /nodes/{node}/rrddata', from: ['c-nrrd'] },
  { path: '/nodes/pve1/syslog?limit=2', method: 'GET /nodes/{node}/syslog', from: ['c-syslog'] },
  { path: '/nodes/pve1/aplinfo', method: 'GET /nodes/{node}/aplinfo', from: ['c-aplinfo'] },
  { path: '/cluster/replication', method: 'GET /cluster/replication', from: [] },
  { path: '/nodes/pve1/apt/update', method: 'GET /nodes/{node}/apt/update', from: [] },
  { path: '/nodes/pve1/apt/versions', method: 'GET /nodes/{node}/apt/versions', from: ['c-apt'] },
  {
    path: '/nodes/pve1/disks/list',
    method: 'GET /nodes/{node}/disks/list',
    from: ['c-disks'],
    odd: ['[].wearout is number, Proxmox VE has string'],
  },
  {
    path: '/nodes/pve1/lxc/410/rrddata?timeframe=hour',
    method: `GET ${guest}lxc/{vmid}/rrddata`,
    from: ['c-rrd'],
  },
  {
    path: '/nodes/pve1/storage/local/rrddata?timeframe=hour',
    method: 'GET /nodes/{node}/storage/{storage}/rrddata',
    from: [],
  },
  { path: '/nodes/pve1/firewall/log', method: 'GET /nodes/{node}/firewall/log', from: [] },
  { path: '/nodes/pve1/qemu/200/firewall/log', method: `GET ${guest}qemu/{vmid}/firewall/log`, from: [] },
  { path: '/nodes/pve1/qemu/200/agent/info', method: `GET ${guest}qemu/{vmid}/agent/info`, from: ['agent-info'] },
  { path: '/nodes/pve1/qemu/200/agent/get-fsinfo', method: `GET ${guest}qemu/{vmid}/agent/get-fsinfo`, from: [] },
  { path: '/nodes/pve1/qemu/200/agent/get-host-name', method: `GET ${guest}qemu/{vmid}/agent/get-host-name`, from: [] },
  { path: '/nodes/pve1/qemu/200/agent/get-osinfo', method: `GET ${guest}qemu/{vmid}/agent/get-osinfo`, from: [] },
];
