import type { DemoNode, Guest, JournalLine, Service, World } from '../world.ts';
import { type Copies, copyOperations } from './copies.ts';
import { type Power, powerOperations } from './power.ts';
import { type Snapshots, snapshotOperations } from './snapshots.ts';
import { type By, Refusal, type Task } from './tasks.ts';
import { type Backups, backupOperations } from './vzdump.ts';

/** What the operations stand on. */
export type Ground = Omit<World, keyof Operations>;

/** A guest as it is asked for: the kind and node are part of the address, and may be wrong. */
export interface GuestRef {
  readonly node: string;
  readonly kind: Guest['kind'];
  readonly vmid: number;
}

/** A node or a guest: whatever has units and a journal. */
export type UnitHolder = { readonly services: Service[]; readonly journal: JournalLine[] };

export type UnitVerb = 'start' | 'stop' | 'restart' | 'reload';

/** Everything that changes the datacentre. What is refused at once is a thrown `Refusal`; a task fails by itself. */
export interface Operations extends Power, Snapshots, Backups, Copies {
  /** The guest at that very address, or the Refusal that names its missing configuration file. */
  at(ref: GuestRef): Guest;
  /** Starts, stops, restarts or reloads a unit now, with its lines in the journal. */
  changeUnit(machine: UnitHolder, name: string, verb: UnitVerb): void;
  /** The task that Proxmox VE restarts a node's service by. */
  changeService(node: DemoNode, name: string, verb: UnitVerb, by: By): Task;
}

const folder = { lxc: 'lxc', qemu: 'qemu-server' } as const;

/** `Configuration file 'nodes/pve1/lxc/999.conf' does not exist` (recording e-noct). */
export const missing = ({ node, kind, vmid }: GuestRef): Refusal =>
  new Refusal(`Configuration file 'nodes/${node}/${folder[kind]}/${vmid}.conf' does not exist`);

/** Refuses when the guest is locked, as recordings l-put and l-vmput do. */
export function checkLock(guest: Guest): void {
  if (guest.lock !== undefined) throw new Refusal(`${guest.kind === 'lxc' ? 'CT' : 'VM'} is locked (${guest.lock})`);
}

/** Without quorum no configuration can be written (recording z-noquorum-put). */
export function checkQuorum({ switches }: Ground, { node, kind, vmid, pid }: Guest): void {
  if (switches.quorate) return;
  const file = `/etc/pve/nodes/${node}/${folder[kind]}/${vmid}.conf.tmp.${pid}`;
  throw new Refusal(`unable to open file '${file}' - Permission denied`);
}

export function operationsOn(ground: Ground): Operations {
  const at = (ref: GuestRef): Guest => {
    const guest = ground.guest(ref.vmid);
    if (guest === undefined || guest.node !== ref.node || guest.kind !== ref.kind) throw missing(ref);
    return guest;
  };
  const changeUnit: Operations['changeUnit'] = (machine, name, verb) => {
    for (const step of verb === 'restart' ? (['stop', 'start'] as const) : [verb]) {
      setUnit(machine, name, step, ground.now());
    }
  };
  return {
    at,
    changeUnit,
    changeService: (node, name, verb, by) =>
      ground.begin({
        node: node.name,
        type: `srv${verb}`,
        id: name,
        by,
        steps: [
          {
            seconds: 2,
            run: () => changeUnit(node, name, verb),
          },
        ],
      }),
    ...powerOperations(ground, at),
    ...snapshotOperations(ground, at),
    ...backupOperations(ground, at),
    ...copyOperations(ground, at),
  };
}

function setUnit(machine: UnitHolder, name: string, verb: Exclude<UnitVerb, 'restart'>, at: number): void {
  const unit = machine.services.find((service) => service.name === name);
  if (unit === undefined || unit.unitState === 'not-found') {
    throw new Refusal(`command 'systemctl ${verb} ${name}' failed: exit code 5`);
  }
  const note = (text: string): void => {
    machine.journal.push({ at, unit: 'systemd', pid: 1, text });
  };
  if (verb === 'stop') {
    unit.state = 'dead';
    note(`Stopped ${unit.name}.service - ${unit.description}.`);
  }
  if (verb === 'start' && unit.state !== 'running') {
    unit.state = 'running';
    unit.startedAt = at;
    unit.pid += 1000;
    note(`Started ${unit.name}.service - ${unit.description}.`);
    machine.journal.push({ at, unit: name, pid: unit.pid, text: `${unit.name}: ready` });
  }
}
