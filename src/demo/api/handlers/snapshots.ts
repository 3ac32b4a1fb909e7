import type { Guest, Snapshot } from '../../world.ts';
import { Refusal } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { digestOf } from './guest-rows.ts';

const row = (snapshot: Snapshot, kind: Guest['kind']) => ({
  name: snapshot.name,
  description: snapshot.description,
  snaptime: snapshot.snaptime,
  ...(snapshot.parent === undefined ? {} : { parent: snapshot.parent }),
  ...(kind === 'qemu' ? { vmstate: snapshot.vmstate ? 1 : 0 } : {}),
});

/** The snapshots and the pseudo entry `current`, whose parent is where the guest stands (recording q2-snaps). */
function list(call: Call, kind: Guest['kind']): unknown[] {
  const guest = call.guest(kind);
  const current = {
    name: 'current',
    description: 'You are here!',
    digest: digestOf(guest),
    running: guest.status === 'running' ? 1 : 0,
    ...(guest.parent === undefined ? {} : { parent: guest.parent }),
  };
  return [...guest.snapshots.map((snapshot) => row(snapshot, kind)), current];
}

/** The configuration that a snapshot holds. */
export function snapshotConfig(guest: Guest, name: string) {
  const snapshot = guest.snapshots.find((candidate) => candidate.name === name);
  if (snapshot === undefined) throw new Refusal(`snapshot '${name}' does not exist`);
  const { description, snaptime, parent } = snapshot;
  return {
    ...snapshot.config,
    ...(description === '' ? {} : { description }),
    snaptime,
    ...(parent ? { parent } : {}),
  };
}

const take = (call: Call, kind: Guest['kind']): string =>
  call.world.takeSnapshot(
    call.ref(kind),
    call.text('snapname'),
    call.text('description'),
    call.flag('vmstate'),
    call.by,
  ).upid;

export const snapshotHandlers: Handlers = forBoth({
  'GET /nodes/{node}/K/{vmid}/snapshot': list,
  'POST /nodes/{node}/K/{vmid}/snapshot': take,
  'GET /nodes/{node}/K/{vmid}/snapshot/{snapname}/config': (call, kind) =>
    snapshotConfig(call.guest(kind), call.text('snapname')),
  'DELETE /nodes/{node}/K/{vmid}/snapshot/{snapname}': (call, kind) =>
    call.world.deleteSnapshot(call.ref(kind), call.text('snapname'), call.by).upid,
  'POST /nodes/{node}/K/{vmid}/snapshot/{snapname}/rollback': (call, kind) =>
    call.world.rollBack(call.ref(kind), call.text('snapname'), call.flag('start'), call.by).upid,
});
