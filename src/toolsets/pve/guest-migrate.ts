import { z } from 'zod';
import { answer } from '../../present/answer.ts';
import type { PveParams } from '../../pve/client.ts';
import { type Guest, readGuest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readResources } from '../../pve/resources.ts';
import { guest, node, onStorage, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { refuseLocked } from './locked.ts';
import { askServer, checkNode, checkWay, copyOf, type Way } from './migrate-check.ts';
import { readSettings } from './settings.ts';
import { settle } from './settle.ts';
import { type GuestState, inspect, readState, since } from './state.ts';

interface Wish {
  readonly node: string;
  readonly storage?: string;
  readonly restart: boolean;
}

interface Plan {
  readonly guest: Guest;
  readonly state: GuestState;
  readonly way: Way;
}

const runs = ({ status }: GuestState): boolean => status !== 'stopped';

/** Everything that can stand in the way is looked at before the write. */
async function plan(context: ToolContext, ref: string | number, { node: to, storage, restart }: Wish): Promise<Plan> {
  const { pve, signal } = context;
  const { guest, state } = await inspect(context, ref);
  refuseLocked(guest, state);
  const resources = await readResources(pve, { signal });
  checkNode(resources, guest, to);
  const [settings, told] = await Promise.all([readSettings(pve, guest, signal), askServer(context, guest)]);
  const way = checkWay(guest, runs(state), { resources, settings, told }, { to, storage, restart });
  return { guest, state, way };
}

function paramsOf({ guest, state, way }: Plan, { node: target, storage }: Wish): PveParams {
  const running = runs(state) ? true : undefined;
  if (guest.kind === 'lxc') return { target, restart: running, 'target-storage': storage };
  const copies = running && way.copies > 0 ? true : undefined;
  return { target, online: running, 'with-local-disks': copies, targetstorage: storage };
}

const how = ({ guest, state }: Plan): string => {
  if (!runs(state)) return 'It is stopped and stays so.';
  return guest.kind === 'lxc' ? 'It is shut down, moved and started again.' : 'It goes on running meanwhile.';
};

/** The guest where it should be now; the cluster's own list lags, so that the node itself is asked first. */
async function found({ pve, signal }: ToolContext, guest: Guest, to: string) {
  const there = { ...guest, node: to, label: guest.label.replace(/ on \S+$/, ` on ${to}`) };
  return readGuest(pve, there, (place) => readState(pve, place, signal), { signal });
}

export default definePveTool({
  name: 'pve_guest_migrate',
  title: 'Move a guest to another node',
  effect: 'change',
  summary:
    'Move a VM or container to another node: a running VM without interruption, a running container by a restart. ' +
    'What stands in the way is told first.',
  search:
    'migration live relocate evacuate maintenance balance cluster host qm migrate pct migrate bind mounts passthrough',
  input: {
    guest,
    node: node.describe('Where to.'),
    restart: z.boolean().default(false).describe('A running container may be restarted.'),
    storage: onStorage.optional().describe('For its disks there; else the same.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, ...wish }, context) {
    const planned = await plan(context, ref, wish);
    const { guest, state, way } = planned;
    const copy = copyOf(way);
    return {
      message: `Move ${guest.label} to ${wish.node}. ${how(planned)}${copy ? ` To be copied: ${copy}.` : ''}`,
      state: { guest: guest.label, status: state.status, to: wish.node },
    };
  },

  async run({ guest: ref, wait_s, ...wish }, context) {
    const planned = await plan(context, ref, wish);
    const { guest, state, way } = planned;
    const at = path`/nodes/${guest.node}/${guest.kind}/${guest.vmid}/migrate`;
    const started = await context.pve.post(at, paramsOf(planned, wish), { signal: context.signal });
    const { done, facts } = await settle(context, started, wait_s);
    const common = { guest: guest.label, from: guest.node, to: wish.node, copied: copyOf(way) };
    if (!done) return answer(`${guest.label} is still being moved to ${wish.node}`, { ...common, ...facts });
    const notes: string[] = [];
    const now = await attempt(found(context, guest, wish.node), notes, 'The guest at its new place');
    if (now && now.guest.node !== wish.node) {
      notes.push(
        state.managedByHa
          ? 'HA carries this out a little later: look again with pve_guest_get.'
          : `The task ended well, but the guest is on ${now.guest.node}: look again with pve_guest_get.`,
      );
    }
    const name = guest.label.replace(/ on \S+$/, '');
    const arrived = now?.guest.node === wish.node;
    return answer(
      `${name}${arrived ? ` is on ${wish.node} now, ${since(now.value)}` : `: migration to ${wish.node} done`}`,
      {
        ...common,
        node: now?.guest.node,
        status: now?.value.status,
        ...facts,
        notes: noted(notes),
      },
    );
  },
});
