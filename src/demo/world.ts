import { type Access, homelabAccess } from './world/access.ts';
import { homelabGuests } from './world/guests.ts';
import { type BackupJob, homelabBackupJobs } from './world/jobs.ts';
import { homelabNodes } from './world/nodes.ts';
import { type Ground, type Operations, operationsOn } from './world/operations.ts';
import { homelabStorages } from './world/storages.ts';
import { type By, type Plan, type Task, TaskRunner } from './world/tasks.ts';

export type { Acl, Token, User } from './world/access.ts';
export { type By, Refusal, type Task } from './world/tasks.ts';
export { guestVitals, nodeVitals, type Vitals } from './world/vitals.ts';

/** A systemd unit of a node or of a guest. */
export interface Service {
  readonly name: string;
  readonly description: string;
  state: 'running' | 'dead' | 'failed';
  unitState: 'enabled' | 'disabled' | 'masked' | 'static' | 'not-found';
  /** Epoch milliseconds of the last start. */
  startedAt: number;
  pid: number;
  /** Whether Proxmox VE's own service list knows it. */
  readonly pve: boolean;
}

export interface JournalLine {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly unit: string;
  readonly pid: number;
  readonly text: string;
}

/** A packet that the firewall logged; TIME in the text is when. */
export interface FirewallLine {
  /** Epoch milliseconds. */
  readonly at: number;
  /** 0 for the node itself. */
  readonly vmid: number;
  readonly text: string;
}

/** A Docker container inside a guest; it runs only while the guest does and `enabled` is true. */
export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly command: string;
  readonly ports: string;
  enabled: boolean;
  readonly log: readonly string[];
}

export interface DemoNode {
  readonly name: string;
  readonly id: number;
  readonly ip: string;
  readonly bootedAt: number;
  readonly cpus: number;
  readonly cpuModel: string;
  /** Bytes. */
  readonly memory: number;
  readonly swap: number;
  readonly rootfs: { readonly total: number; readonly used: number };
  readonly load: number;
  readonly kernel: string;
  readonly services: Service[];
  readonly journal: JournalLine[];
  readonly firewall: readonly FirewallLine[];
}

export type Config = Record<string, string | number>;

export interface Snapshot {
  readonly name: string;
  readonly description: string;
  /** Epoch seconds. */
  readonly snaptime: number;
  readonly parent?: string;
  readonly vmstate: boolean;
  readonly running: boolean;
  readonly config: Config;
}

export interface Guest {
  readonly vmid: number;
  readonly kind: 'lxc' | 'qemu';
  node: string;
  status: 'running' | 'stopped';
  /** A VM that was suspended to RAM: `status` stays `running`. */
  paused: boolean;
  template: boolean;
  /** `backup`, `snapshot`, `migrate`…: what Proxmox VE shows as `lock`. */
  lock?: string;
  /** What is in force. `pending` holds what waits for the next start; null there means that the key will go. */
  config: Config;
  pending: Record<string, string | number | null>;
  snapshots: Snapshot[];
  /** Name of the snapshot that the current state descends from. */
  parent?: string;
  /** Epoch milliseconds; meaningful while running. */
  startedAt: number;
  pid: number;
  /** IPv4 with prefix, `192.168.2.70/24`. */
  address: string;
  readonly mac: string;
  readonly os: string;
  /** Whether qemu-guest-agent answers inside the VM. */
  agent: boolean;
  /** A VM whose agent has frozen the file systems, as it does for a backup. */
  frozen?: boolean;
  /** What it uses when it runs: share of its CPUs, bytes. */
  readonly load: { readonly cpu: number; readonly memory: number; readonly disk: number };
  readonly services: Service[];
  readonly docker: DockerContainer[];
  readonly journal: JournalLine[];
}

export interface Volume {
  readonly volid: string;
  /** Where it is when its storage is not shared. */
  readonly node?: string;
  readonly content: 'images' | 'rootdir' | 'backup' | 'iso' | 'vztmpl' | 'import';
  readonly format: string;
  readonly size: number;
  readonly vmid?: number;
  /** Epoch seconds. */
  readonly ctime: number;
  readonly subtype?: 'lxc' | 'qemu';
  notes?: string;
  protected?: boolean;
  /** What a backup server found when it last read a backup of its own again. */
  readonly verified?: 'ok' | 'failed';
  /** A backup holds the configuration of its guest. */
  readonly config?: Config;
}

export interface Storage {
  readonly name: string;
  readonly type: 'dir' | 'lvmthin' | 'zfspool' | 'nfs' | 'pbs';
  readonly content: Volume['content'][];
  readonly shared: boolean;
  /** The rest of its section in storage.cfg. */
  readonly options: Readonly<Record<string, string>>;
  readonly total: number;
  used: number;
  active: boolean;
  readonly volumes: Volume[];
}

/** What a test, or a bad day, does to the datacentre. */
export interface Switches {
  /** Nodes that are gone: 595 No route to host. */
  readonly offline: Set<string>;
  /** Nodes that take the connection and say nothing: 596 Connection timed out. */
  readonly silent: Set<string>;
  quorate: boolean;
  /** How the next task that is started ends; used up by it. */
  nextTask?: 'warn' | 'hang' | { readonly fail: string };
  /** What happens to every request, whatever it asks for. */
  outage?: 'reset' | 'silent' | { readonly status: number; readonly reason: string };
  /** Milliseconds before each answer. */
  latencyMs: number;
}

/** One request as it reached the API, for assertions on the wire. */
export interface SeenRequest {
  readonly method: string;
  /** Below /api2/json, decoded. */
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** `user@realm!tokenid`, when the request was let in. */
  readonly who?: string;
}

/** The pretend datacentre. Reading anything first lets the tasks do what is due by the clock; there are no timers. */
export interface World extends Operations {
  readonly clusterName: string;
  readonly nodes: readonly DemoNode[];
  readonly guests: Guest[];
  readonly storages: readonly Storage[];
  readonly access: Access;
  readonly backupJobs: BackupJob[];
  /** Newest last. */
  readonly tasks: Task[];
  readonly switches: Switches;
  readonly requests: SeenRequest[];
  /** Epoch milliseconds. */
  now(): number;
  node(name: string): DemoNode | undefined;
  guest(vmid: number): Guest | undefined;
  storage(name: string): Storage | undefined;
  task(upid: string): Task | undefined;
  /** Starts a task; its steps run when their time has come. */
  begin(plan: Plan): Task;
  /** Ends a running task as Proxmox VE's own stop button does: `unexpected status`, its lock stays. */
  cancel(upid: string): void;
}

export interface WorldOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** 1: tasks take real-looking seconds; 0: they are over at the next look. */
  readonly taskSpeed?: number;
}

/** A homelab of two nodes and eight guests, some of them running, with a past. */
export function createWorld(options: WorldOptions = {}): World {
  const now = options.now ?? Date.now;
  const start = now();
  const switches: Switches = { offline: new Set(), silent: new Set(), quorate: true, latencyMs: 0 };
  const nodes = homelabNodes(start);
  const guests = homelabGuests(start);
  const storages = homelabStorages(start, guests);
  const runner = new TaskRunner(now, options.taskSpeed ?? 1, switches, (name) => nodes.find((n) => n.name === name));
  const current = <T>(value: T): T => {
    runner.advance();
    return value;
  };
  const base: Ground = {
    clusterName: 'homelab',
    nodes,
    storages,
    access: homelabAccess(start),
    backupJobs: homelabBackupJobs(start),
    switches,
    requests: [],
    now,
    get guests() {
      return current(guests);
    },
    get tasks() {
      return current(runner.tasks);
    },
    node: (name: string) => current(nodes.find((node) => node.name === name)),
    guest: (vmid: number) => current(guests).find((guest) => guest.vmid === vmid),
    storage: (name: string) => current(storages.find((storage) => storage.name === name)),
    task: (upid: string) => current(runner.tasks).find((task) => task.upid === upid),
    begin: (plan: Plan) => runner.begin(plan),
    cancel: (upid: string) => runner.cancel(upid),
  };
  seedTasks(runner, start);
  return Object.defineProperties(base, Object.getOwnPropertyDescriptors(operationsOn(base))) as World;
}

const root: By = { user: 'root@pam' };

function seedTasks(runner: TaskRunner, start: number): void {
  const ago = (minutes: number) => start - minutes * 60_000;
  runner.remember({
    node: 'pve1',
    type: 'vzdump',
    id: '',
    by: root,
    at: ago(190),
    seconds: 412,
    log: ['INFO: Backup job finished successfully'],
  });
  runner.remember({ node: 'pve1', type: 'vzstart', id: '102', by: root, at: ago(55), seconds: 3, log: [] });
  runner.remember({ node: 'pve2', type: 'qmstart', id: '300', by: root, at: ago(42), seconds: 4, log: [] });
  runner.remember({
    node: 'pve2',
    type: 'vzdump',
    id: '300',
    by: root,
    at: ago(30),
    seconds: 21,
    log: [
      "ERROR: Backup of VM 300 failed - unable to open file '/mnt/pve/nas/dump/300.vma.zst' - No space left on device",
    ],
    error: 'job errors',
  });
}
