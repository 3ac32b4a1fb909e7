import type { Config, Guest, Storage, World } from '../../../src/demo/world.ts';

type Edit = (world: World) => void;

const guest = (vmid: number, kind: Guest['kind'], config: Config, more: Partial<Guest> = {}): Guest => ({
  vmid,
  kind,
  node: 'pve1',
  status: 'stopped',
  paused: false,
  template: false,
  config,
  pending: {},
  snapshots: [],
  startedAt: Date.now() - 60_000,
  pid: 1635,
  address: '10.0.2.50/24',
  mac: 'BC:24:11:7C:2E:6C',
  os: 'Debian GNU/Linux 13 (trixie)',
  agent: false,
  load: { cpu: 0.1, memory: 12_357_632, disk: 177_651_712 },
  services: [],
  docker: [],
  journal: [],
  ...more,
});

export const container = (vmid: number, more: Partial<Guest> = {}): Guest => {
  const config: Config = {
    arch: 'amd64',
    cores: 1,
    features: 'nesting=1',
    hostname: `ct${vmid}`,
    memory: 256,
    net0: 'name=eth0,bridge=vmbr0,hwaddr=BC:24:11:7C:2E:6C,ip=10.0.2.50/24,type=veth',
    onboot: 1,
    ostype: 'debian',
    rootfs: `local-lvm:${more.template ? `base-${vmid}-disk-1` : `vm-${vmid}-disk-0`},size=1G`,
    swap: 512,
    tags: 'x',
    unprivileged: 1,
  };
  return guest(vmid, 'lxc', config, more);
};

export const machine = (vmid: number, more: Partial<Guest> = {}, config: Config = {}): Guest => {
  const scsi0 = `local:${vmid}/vm-${vmid}-disk-0.qcow2,size=1G`;
  return guest(vmid, 'qemu', { boot: 'order=scsi0', memory: '64', name: `vm${vmid}`, scsi0, ...config }, more);
};

/** The guests of the recordings: container 100 and VM 200 (with the agent) running, 101 and 201 stopped. */
export function resetLab(world: World): void {
  const vm200 = machine(200, { status: 'running', agent: true }, { agent: '1' });
  world.guests.splice(
    0,
    world.guests.length,
    container(100, { status: 'running' }),
    container(101),
    vm200,
    machine(201),
  );
  for (const { volumes } of world.storages) {
    const kept = volumes.filter(({ vmid, content }) => content === 'backup' || vmid === undefined || vmid > 300);
    volumes.splice(0, volumes.length, ...kept);
  }
  world.switches.offline.clear();
  world.switches.silent.clear();
  world.switches.quorate = true;
  world.switches.nextTask = undefined;
}

const edit =
  (vmid: number, change: (guest: Guest, world: World) => void): Edit =>
  (world) => {
    const found = world.guest(vmid);
    if (found === undefined) throw new Error(`the lab has no guest ${vmid}`);
    change(found, world);
  };

/** What a recording's situation differs from the lab by. */
export const situation = {
  stopped: (vmid: number) => edit(vmid, (found) => Object.assign(found, { status: 'stopped' })),
  running: (vmid: number) => edit(vmid, (found) => Object.assign(found, { status: 'running' })),
  locked: (vmid: number, lock: string) => edit(vmid, (found) => Object.assign(found, { lock })),
  protected: (vmid: number) => edit(vmid, (found) => Object.assign(found.config, { protection: 1 })),
  snapshot: (vmid: number, name: string) =>
    edit(vmid, (found) => {
      const taken = { name, description: 'first', snaptime: 1_795_144_121, vmstate: false, running: false };
      Object.assign(found, { snapshots: [{ ...taken, config: { ...found.config } }], parent: name });
    }),
  add:
    (added: Guest): Edit =>
    (world) => {
      world.guests.push(added);
    },
  gone:
    (vmid: number): Edit =>
    (world) => {
      world.guests.splice(0, world.guests.length, ...world.guests.filter((found) => found.vmid !== vmid));
    },
  volume:
    (volid: string, more: { vmid?: number; protected?: boolean; config?: Config } = {}): Edit =>
    (world) => {
      const content = volid.includes('backup') ? 'backup' : 'iso';
      world.storage('local')?.volumes.push({ volid, node: 'pve1', content, format: 'iso', size: 1, ctime: 1, ...more });
    },
  holds:
    (storage: string, content: Storage['content'][number]): Edit =>
    (world) => {
      world.storage(storage)?.content.push(content);
    },
  jobs:
    (...added: World['backupJobs']): Edit =>
    (world) => {
      world.backupJobs.splice(0, world.backupJobs.length, ...added);
    },
  noQuorum: ((world) => {
    world.switches.quorate = false;
  }) satisfies Edit,
  offline:
    (node: string): Edit =>
    (world) => {
      world.switches.offline.add(node);
    },
  silent:
    (node: string): Edit =>
    (world) => {
      world.switches.silent.add(node);
    },
} as const;
