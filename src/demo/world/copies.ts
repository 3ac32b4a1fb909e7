import type { Config, Guest } from '../world.ts';
import { addressFor, macFor } from './lease.ts';
import { checkLock, checkQuorum, type Ground, type GuestRef } from './operations.ts';
import { type By, Refusal, type Step, type Task } from './tasks.ts';
import { copyDisk, disksOf, type Made } from './volumes.ts';

export interface CloneRequest {
  readonly newid: number;
  readonly name?: string;
  readonly description?: string;
  /** Without it a template is linked and anything else copied. */
  readonly full?: boolean;
  readonly snapname?: string;
  readonly storage?: string;
  readonly target?: string;
}

export interface Copies {
  /** A new guest that holds what `ref` does: linked to its disks or with disks of its own. */
  clone(ref: GuestRef, wanted: CloneRequest, by: By): Task;
  /** Makes a template of a stopped guest, which cannot be undone: its disks become base images. A VM's is a task. */
  makeTemplate(ref: GuestRef, by: By): Task | undefined;
}

const what = ({ kind }: Pick<Guest, 'kind'>): string => (kind === 'lxc' ? 'CT' : 'VM');

/** Storages whose disks can be linked to at all, by themselves or by their snapshots. */
const linkable = (ground: Ground, value: string, bySnapshot: boolean): boolean => {
  const storage = ground.storages.find(({ name }) => name === value.split(':')[0]);
  return bySnapshot ? storage?.type === 'lvmthin' : /:(\d+\/)?base-/.test(value);
};

/** What Proxmox VE checks before the task (PVE::API2::LXC and PVE::API2::Qemu, clone_vm). */
function checkClone(ground: Ground, source: Guest, request: CloneRequest, full: boolean): void {
  const { newid, snapname, storage, target } = request;
  checkLock(source);
  const snapshot = source.snapshots.find(({ name }) => name === snapname);
  if (snapname !== undefined && snapshot === undefined) throw new Refusal(`snapshot '${snapname}' does not exist`);
  if (storage !== undefined && !full) throw new Refusal("parameter 'storage' not allowed for linked clones");
  const config = snapshot?.config ?? source.config;
  const shared = disksOf(config).every(
    (key) => ground.storages.find(({ name }) => name === String(config[key]).split(':')[0])?.shared,
  );
  if (target !== undefined && target !== source.node && !shared) {
    throw new Refusal(`can't clone ${what(source)} to node '${target}' (${what(source)} uses local storage)`);
  }
  if (source.kind === 'lxc' && full && source.status === 'running' && snapname === undefined) {
    throw new Refusal('Cannot do full clones on a running container without snapshots');
  }
  if (!full) for (const key of disksOf(config)) checkLink(ground, source, key, String(config[key]), snapname);
  const taken = ground.guest(newid);
  if (taken === undefined) return;
  if (source.kind === 'lxc') throw new Refusal(`CT ${newid} already exists on node '${taken.node}'`);
  throw new Refusal(`unable to create VM ${newid}: config file already exists`);
}

function checkLink(ground: Ground, source: Guest, key: string, value: string, snapname?: string): void {
  if (value.includes('-cloudinit') || linkable(ground, value, snapname !== undefined)) return;
  throw new Refusal(
    source.kind === 'lxc'
      ? `Linked clone feature for '${value.split(',')[0]}' is not available`
      : `Linked clone feature is not supported for drive '${key}'`,
  );
}

/** The new guest's configuration before its disks are copied: new MAC addresses, another name, no template. */
function configFor(source: Guest, { newid, name, description, snapname }: CloneRequest): Config {
  const from = source.snapshots.find((one) => one.name === snapname)?.config ?? source.config;
  const kept = Object.entries(from).filter(([key]) => key !== 'template' && !/^unused\d+$/.test(key));
  const cards = kept.map(([key, value]): [string, string | number] => {
    const card = /^net(\d+)$/.exec(key)?.[1];
    return [key, card === undefined ? value : String(value).replace(/(..:){5}../, macFor(newid, Number(card)))];
  });
  const old = from.hostname ?? from.name ?? `${what(source)}${source.vmid}`;
  const named = name ?? `Copy-of-${what(source)}-${old}`;
  return {
    ...Object.fromEntries(cards),
    [source.kind === 'lxc' ? 'hostname' : 'name']: named,
    ...(description === undefined ? {} : { description }),
  };
}

function newGuest(source: Guest, request: CloneRequest): Guest {
  const config = configFor(source, request);
  return {
    ...source,
    vmid: request.newid,
    node: request.target ?? source.node,
    status: 'stopped',
    paused: false,
    template: false,
    lock: source.kind === 'lxc' ? 'create' : 'clone',
    config,
    pending: {},
    snapshots: [],
    startedAt: 0,
    pid: 4000 + request.newid,
    address: addressFor(config, request.newid),
    mac: macFor(request.newid),
    services: source.services.map((unit) => ({ ...unit, state: 'dead' })),
    docker: [],
    journal: [],
  };
}

function copySteps(ground: Ground, source: Guest, request: CloneRequest, full: boolean): Step[] {
  const { vmid, kind } = source;
  const mode = full ? 'full' : 'linked';
  let made: Guest | undefined;
  const begin: Step = {
    seconds: 0,
    run: () => {
      made = newGuest(source, request);
      delete made.parent;
      ground.guests.push(made);
    },
    log: kind === 'lxc' ? [`creating a clone of container ${vmid} with ID ${request.newid}`] : [],
  };
  const copies = disksOf(configFor(source, request)).map((key): Step => {
    let copy: Made | undefined;
    const value = String(configFor(source, request)[key]);
    const disk = kind === 'lxc' ? `mount point ${key}` : `drive ${key}`;
    return {
      seconds: full ? 12 : 1,
      run: () => {
        if (made === undefined) return;
        copy = copyDisk(ground, made, value, { linked: !full, storage: request.storage });
        made.config[key] = copy.value;
      },
      log: () => [`create ${mode} clone of ${disk} (${value.split(',')[0]})`, ...(copy?.log ?? [])],
    };
  });
  const end: Step = { seconds: 0, run: () => void (made && delete made.lock) };
  return [begin, ...copies, end];
}

export function copyOperations(ground: Ground, at: (ref: GuestRef) => Guest): Copies {
  return {
    clone(ref, request, by) {
      const source = at(ref);
      const full = request.full ?? !source.template;
      checkClone(ground, source, request, full);
      const type = ref.kind === 'lxc' ? 'vzclone' : 'qmclone';
      const steps = copySteps(ground, source, request, full);
      return ground.begin({ node: ref.node, type, id: String(ref.vmid), by, steps });
    },
    makeTemplate(ref, by) {
      const guest = at(ref);
      checkTemplate(guest);
      checkQuorum(ground, guest);
      const run = () => toTemplate(ground, guest);
      if (guest.kind === 'lxc') {
        run();
        return undefined;
      }
      const steps = [{ seconds: 1, run }];
      return ground.begin({ node: ref.node, type: 'qmtemplate', id: String(ref.vmid), by, steps });
    },
  };
}

function checkTemplate(guest: Guest): void {
  checkLock(guest);
  const name = what(guest);
  if (guest.snapshots.length > 0) {
    throw new Refusal(`unable to create template, because ${name} contains snapshots`);
  }
  if (guest.template) throw new Refusal("you can't convert a template to a template");
  if (guest.status !== 'running') return;
  throw new Refusal(
    guest.kind === 'lxc'
      ? "you can't convert a CT to template if the CT is running"
      : "you can't convert a VM to template if VM is running",
  );
}

/** `vm-103-disk-0` becomes `base-103-disk-0`, in the configuration and on the storage. */
function toTemplate(ground: Ground, guest: Guest): void {
  const based = (text: string): string =>
    text.replace(/\b(vm|subvol)-(\d+)-disk/, (_, kind, id) =>
      kind === 'vm' ? `base-${id}-disk` : `basevol-${id}-disk`,
    );
  for (const key of disksOf(guest.config)) guest.config[key] = based(String(guest.config[key]));
  for (const { volumes } of ground.storages) {
    for (const [i, volume] of volumes.entries()) {
      const mine = volume.vmid === guest.vmid && volume.content !== 'backup';
      if (mine) volumes.splice(i, 1, { ...volume, volid: based(volume.volid) });
    }
  }
  guest.config.template = 1;
  guest.template = true;
}
