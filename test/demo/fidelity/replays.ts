import type { World } from '../../../src/demo/world.ts';
import { archives } from './archives.ts';
import { container, machine, situation } from './lab.ts';
import type { Ask } from './wire.ts';

/** How the demo is put where Proxmox VE was when the recording was made. */
export interface Replay {
  readonly prepare?: (world: World) => void;
  /** The token it was asked with; root's by default. */
  readonly token?: 'mcp@pve!auditor' | 'mcp@pve!nothing';
  /** The recorded nodes by the demo's names. */
  readonly nodes?: Readonly<Record<string, string>>;
  /** Recordings that follow it: the task's status and log, or what the guest's process came to. */
  readonly task?: true;
  readonly process?: string;
  /** What the recording's first line does not say, or says in another place. */
  readonly send?: Partial<Ask>;
}

const {
  stopped,
  running,
  locked,
  protected: protect,
  snapshot,
  add,
  gone,
  volume,
  holds,
  noQuorum,
  offline,
  silent,
} = situation;

const both =
  (first: (world: World) => void, second: (world: World) => void) =>
  (world: World): void => {
    first(world);
    second(world);
  };

const plain = (names: string, replay: Replay = {}): Record<string, Replay> =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, replay]),
  );

/** The local node of the cluster recordings was pve2, its neighbour pve3. */
const cluster = { pve2: 'pve1', pve3: 'pve2' };
const vm205 = (agent: boolean) => add(machine(205, {}, agent ? { agent: '1' } : {}));
const backup = 'local:backup/vzdump-lxc-100-2026_11_20-03_20_50.tar.zst';

const multipart = 'multipart/form-data; boundary=------------------------b5a9d5b1bfc32654';

const protocol: Record<string, Replay> = {
  ...plain(`
    auth-badsecret auth-bearer auth-json-404 auth-json-badmethod auth-malformed auth-none auth-space auth-unknown-token
    badjson textplain deletebody patch nonapi chunked
  `),
  bigbody: { send: { body: 'a='.padEnd(600_000, 'x') } },
  'multipart-nonupload': { send: { body: 'a=1', type: multipart } },
  'http-plain': { send: { plainHttp: true } },
};

const parameters: Record<string, Replay> = {
  ...plain(`
    p-badenum p-bool-json p-bool-json-false p-bool-true p-dup-get p-json-badnet p-json-net1bad p-missing
    p-query-on-post p-type p-unknown p-vmid-low q2-delnone q2-snapbad
    j-arr-del j-arr-list j-emptystr j-extjs j-form-dup-del j-form-dup-list j-form-enc-eq j-form-raw-eq j-nested j-null
    j-num-str r-feat r-feat2
  `),
};

const refusals: Record<string, Replay> = {
  ...plain('a-agent a-create a-put a-start r-perm-aud', { token: 'mcp@pve!auditor' }),
  ...plain('n-config n-nodestatus n-tasks n-users n-version', { token: 'mcp@pve!nothing' }),
  'n-nextid': { token: 'mcp@pve!nothing', prepare: gone(101) },
  ...plain('r-args r-cpu r-execute r-hook r-mpbind r-password r-perm-path r-serial r-skiplock'),
};

const absent: Record<string, Replay> = plain(`
  e-agent-noconf e-badnode e-digest e-exists e-nextid e-noct e-noct-status e-node e-nostorage e-novm
  e-novm-start e-startrunning e-upid e-upid2 c-destroy q2-destroy
`);

const withTemplate: Record<string, Replay> = { 'e-notmpl': { prepare: both(gone(101), holds('local', 'rootdir')) } };

const power: Record<string, Replay> = {
  'lxc-start': { prepare: stopped(100), task: true },
  'c-start0': { prepare: stopped(100), task: true },
  'qemu-start': { prepare: stopped(200), task: true },
  'j-stop-stopped': { prepare: stopped(100) },
  'j-shutdown-stopped': { prepare: stopped(100) },
  'j-if-stopped': { prepare: stopped(100) },
  ...plain('c-reboot d-rollback-running d-vm-start', { task: true }),
  ...plain('j-stopped-if c-reset c-suspend c-resume'),
  'q2-restart': { prepare: running(201), task: true },
  'c-tmplstart': { prepare: add(container(103, { template: true })), task: true },
  'l-stop': { prepare: locked(100, 'backup'), task: true },
  'l-put': { prepare: locked(100, 'backup') },
  ...plain('l-vmput l-vmpost', { prepare: locked(200, 'backup') }),
  ...plain('l-vmsnap l-vmstop', { prepare: locked(200, 'backup'), task: true }),
  ...plain('q2-shutdown q2-stop q2-stop-again', { prepare: both(running(201), locked(201, 'snapshot')), task: true }),
};

const changes: Record<string, Replay> = {
  ...plain('c-protect c-set-pend q2-del q2-put-sync q2-revert'),
  'q2-pendset': { task: true },
  's-lxc-raw': { task: true },
  'q2-snap': { task: true },
  ...plain('q2-snapdup q2-rollback q2-snapdel', { prepare: snapshot(201, 's1'), task: true }),
  'q2-snapdel-none': { task: true },
  'c-destroy-protected': { prepare: protect(100) },
  'q2-destroy-running': { prepare: running(201) },
  'c-destroy-linked': { prepare: add(container(104)), task: true },
  'c-tmpldestroy-base': { prepare: add(container(103, { template: true })), task: true },
  'c-svc-restart': { task: true },
  'c-delcontent': { prepare: volume('local:iso/x.iso'), task: true },
  'c-delcontent-enc': { prepare: volume('local:iso/sum.iso'), task: true },
  'c-volnone': { task: true },
  'c-notes': { prepare: volume(backup, { vmid: 100 }) },
  'c-del-protected': { prepare: volume(backup, { vmid: 100, protected: true }), task: true },
  'j-noagent': {},
};

const provision: Record<string, Replay> = {
  'lxc-create': { prepare: gone(100), task: true },
  'qemu-create': { prepare: gone(200), task: true },
  'q2-create': { prepare: both(gone(201), holds('local', 'images')), task: true },
  'k-create': { nodes: cluster, prepare: gone(100) },
  'c-linked': { prepare: add(container(103, { template: true })), task: true },
  'c-template': { prepare: add(container(103)) },
  'q2-template': {},
  ...plain('q2-clone q2-clone-dup', { prepare: locked(201, 'snapshot') }),
};

const disks: Record<string, Replay> = {
  ...plain('q2-resize q2-shrink q2-unlink'),
  'q2-move': { prepare: locked(201, 'snapshot') },
};

const migration: Record<string, Replay> = {
  'q2-migrate-self': {},
  'q2-migrate': { nodes: { pve2: 'pve7' } },
  'k-mig-running': { nodes: cluster },
  'k-mig-restart': { nodes: cluster },
  'k-mig-back': { nodes: { pve2: 'pve2', pve3: 'pve1' } },
};

const guestAgent: Record<string, Replay> = {
  ...plain('agent-ping agent-exec-missing agent-exec-string exec-empty exec-empty-status exec-stdin-wide exec-utf8'),
  ...plain('agent-ping2 agent-ping3 exec-stdin-wide-status exec-utf8-status'),
  'agent-exec': { process: 'agent-exec-status' },
  'agent-exec-json': { process: 'agent-exec-json-status' },
  'exec-latin-arg': { process: 'exec-latin-arg-status' },
  'exec-outbytes': { process: 'exec-outbytes-status' },
  'exec-signal': { process: 'exec-signal-status' },
  'exec-stdin-latin': { process: 'exec-stdin-latin-status' },
  'agent-exec-status-again': {},
  'j-exec-slow': {},
  'j-agent-stopped-set': { prepare: vm205(false) },
  'j-agent-stopped': { prepare: vm205(true) },
  'j-noagent-exec': { prepare: vm205(false) },
};

const nodes: Record<string, Replay> = {
  'k-wrongnode': { nodes: cluster },
  'k-wrongnode-start': { nodes: cluster, task: true },
  'k-remote-write': { nodes: cluster },
  'z-frozen': { nodes: cluster, prepare: offline('pve2') },
  'z-596': { prepare: silent('pve2') },
  'z-noquorum-create': { nodes: cluster, prepare: noQuorum },
  'z-noquorum-put': { nodes: cluster, prepare: noQuorum },
  'z-noquorum-start': { nodes: cluster, prepare: noQuorum },
  'z-noquorum-user': { nodes: cluster, prepare: noQuorum },
};

/** Every replayed recording, by name. */
export const replays: Readonly<Record<string, Replay>> = {
  ...protocol,
  ...parameters,
  ...refusals,
  ...absent,
  ...withTemplate,
  ...power,
  ...changes,
  ...disks,
  ...migration,
  ...archives,
  ...provision,
  ...guestAgent,
  ...nodes,
};
