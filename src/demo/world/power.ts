import type { Guest } from '../world.ts';
import { detach, isDisk } from './attached.ts';
import { addressFor } from './lease.ts';
import { checkLock, type Ground, type GuestRef } from './operations.ts';
import { type By, Refusal, type Step, type Task } from './tasks.ts';

export type PowerAction = 'start' | 'stop' | 'shutdown' | 'reboot' | 'suspend' | 'resume' | 'reset';

export interface Power {
  /** Does what the power buttons do. A container's state is checked at once, a VM's mostly in the task. */
  power(ref: GuestRef, action: PowerAction, by: By): Task;
}

const taskType = {
  lxc: {
    start: 'vzstart',
    stop: 'vzstop',
    shutdown: 'vzshutdown',
    reboot: 'vzreboot',
    suspend: 'vzsuspend',
    resume: 'vzresume',
    reset: 'vzreset',
  },
  qemu: {
    start: 'qmstart',
    stop: 'qmstop',
    shutdown: 'qmshutdown',
    reboot: 'qmreboot',
    suspend: 'qmpause',
    resume: 'qmresume',
    reset: 'qmreset',
  },
} as const;

const seconds: Record<PowerAction, number> = {
  start: 3,
  stop: 2,
  shutdown: 5,
  reboot: 6,
  suspend: 1,
  resume: 1,
  reset: 1,
};

export function powerOperations(ground: Ground, at: (ref: GuestRef) => Guest): Power {
  return {
    power(ref, action, by) {
      checkNow(ground, ref, action);
      const known = ground.guest(ref.vmid);
      const steps: Step[] = [
        { seconds: 0, run: () => checkInTask(at(ref), action) },
        { seconds: seconds[action], run: () => apply(at(ref), action, ground.now()) },
      ];
      const here = known !== undefined && known.node === ref.node && known.kind === ref.kind;
      return ground.begin({
        node: ref.node,
        type: taskType[ref.kind][action],
        id: String(ref.vmid),
        by,
        steps,
        ...(here ? { holds: known } : {}),
      });
    },
  };
}

/** What the API checks before it starts a task (PVE::API2::LXC::Status, PVE::API2::Qemu). */
function checkNow(ground: Ground, { node, kind, vmid }: GuestRef, action: PowerAction): void {
  const guest = ground.guest(vmid);
  const here = guest?.node === node && guest.kind === kind ? guest : undefined;
  const running = here?.status === 'running';
  if (kind === 'lxc') {
    if (action === 'start' || action === 'resume') {
      if (running) throw new Refusal(`CT ${vmid} already running`);
    } else if (!running) throw new Refusal(`CT ${vmid} not running`);
    return;
  }
  if (action === 'start' || action === 'stop') return;
  if (action === 'shutdown') {
    if (here?.paused) throw new Refusal('VM is paused - cannot shutdown');
    return;
  }
  if (here === undefined) throw new Refusal(`unable to find configuration file for VM ${vmid} on node '${node}'`);
  if (!running) throw new Refusal(`VM ${vmid} not running`);
}

function checkInTask(guest: Guest, action: PowerAction): void {
  const what = guest.kind === 'lxc' ? 'CT' : 'VM';
  if (action === 'start' && guest.template)
    throw new Refusal(`you can't start a ${guest.kind === 'lxc' ? 'CT' : 'vm'} if it's a template`);
  if (guest.kind === 'qemu' && (action === 'stop' || action === 'shutdown') && guest.status === 'stopped') return;
  checkLock(guest);
  if (action === 'start' && guest.status === 'running') throw new Refusal(`${what} ${guest.vmid} already running`);
  if (action === 'suspend' && guest.kind === 'lxc') {
    throw new Refusal(`command 'lxc-checkpoint -n ${guest.vmid} -s -D /var/lib/vz/dump' failed: exit code 1`);
  }
}

function apply(guest: Guest, action: PowerAction, now: number): void {
  if (action === 'stop' || action === 'shutdown' || action === 'reboot') turnOff(guest);
  if (action === 'start' || action === 'reboot') turnOn(guest, now);
  if (action === 'suspend' || action === 'resume') guest.paused = action === 'suspend';
}

/** A guest that starts takes over what was pending, and starts its services. */
export function turnOn(guest: Guest, now: number): void {
  for (const [key, value] of Object.entries(guest.pending)) {
    if (value === null && isDisk(key)) detach(undefined, guest, key);
    else if (value === null) delete guest.config[key];
    else guest.config[key] = value;
  }
  guest.pending = {};
  guest.address = addressFor(guest.config, guest.vmid, guest.address);
  guest.status = 'running';
  guest.paused = false;
  guest.startedAt = now;
  guest.pid += 2000;
  for (const unit of guest.services) {
    unit.state = 'running';
    unit.startedAt = now;
  }
}

export function turnOff(guest: Guest): void {
  guest.status = 'stopped';
  guest.paused = false;
  for (const unit of guest.services) unit.state = 'dead';
}
