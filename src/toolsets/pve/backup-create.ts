import { z } from 'zod';
import { asFailure, Failure } from '../../failure.ts';
import { answer, RemoteText } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readResources, type StorageRow } from '../../pve/resources.ts';
import { parseUpid } from '../../pve/task.ts';
import { bytes, iso } from '../format.ts';
import { guest, storage, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { newestFirst } from './backups.ts';
import { refuseLocked } from './locked.ts';
import { pickStorage } from './pick-place.ts';
import { type Settled, settle } from './settle.ts';
import { type GuestState, inspect, readState, since } from './state.ts';
import { readVolumes, type Volume } from './volumes.ts';

const modes = {
  snapshot: 'It goes on running meanwhile.',
  suspend: 'It is paused for a part of the backup.',
  stop: 'It is shut down for the backup, and started again when it was running.',
} as const;

interface Plan {
  readonly guest: Guest;
  readonly state: GuestState;
  readonly target: StorageRow;
}

async function plan(context: ToolContext, ref: number | string, storage: string | undefined): Promise<Plan> {
  const { pve, signal } = context;
  const { guest, state } = await inspect(context, ref);
  refuseLocked(guest, state);
  const target = pickStorage(await readResources(pve, { signal }), guest.node, 'backup', storage);
  return { guest, state, target };
}

/** One line as vzdump takes it: it fills in {{guestname}} and the like, and reads \n and \\ (schema of POST vzdump). */
const template = (notes: string): string => notes.trim().replaceAll('\\', '\\\\').replace(/\r?\n/g, '\\n');

/** Waits for the job. Its task says only `job errors`; what went wrong is in its log. */
async function settleJob(context: ToolContext, started: unknown, waitSeconds?: number): Promise<Settled> {
  try {
    return await settle(context, started, waitSeconds);
  } catch (error) {
    const failure = asFailure(error);
    const { log } = failure.facts;
    const text = failure.kind === 'task-failed' && log instanceof RemoteText ? log.text : '';
    const why = [...text.matchAll(/^ERROR: (.+)$/gm)].map(([, line]) => line);
    if (why.length === 0) throw failure;
    const hint = /max backup limit/.test(text)
      ? 'The storage keeps no more than that: delete an old one with pve_backup_delete first. None is deleted by itself.'
      : 'No backup was made. Look at the guest before another one is tried: the log tells how far it came.';
    throw new Failure('task-failed', `${failure.message} ${why.join(' ')}`, hint, {
      facts: failure.facts,
      cause: failure,
    });
  }
}

/** The backup that the task made: the newest since its start, by the clock of the same node. */
async function made(context: ToolContext, plan: Plan, upid: unknown, notes: string[]): Promise<Volume | undefined> {
  if (typeof upid !== 'string') return undefined;
  const { guest, target } = plan;
  const wanted = { storage: target.storage, node: guest.node, content: 'backup', vmid: guest.vmid };
  const all = await attempt(readVolumes(context, wanted, notes), notes, 'The backup');
  const [newest] = newestFirst(all ?? []).filter(({ ctime = 0 }) => ctime >= parseUpid(upid).startTime - 1);
  if (all && !newest) notes.push('The task ended well, but no backup is listed: look with pve_backup_list.');
  return newest;
}

export default definePveTool({
  name: 'pve_backup_create',
  title: 'Back up a guest',
  effect: 'change',
  core: true,
  summary: 'Back up a VM or container. No older backup is deleted for it.',
  search: 'vzdump dump archive save storage pbs proxmox backup server now run make copy',
  input: {
    guest,
    storage: storage.optional().describe('Else the one with most free space.'),
    mode: z
      .enum(['snapshot', 'suspend', 'stop'])
      .default('snapshot')
      .describe('snapshot runs on, suspend pauses it, stop shuts it down meanwhile (most consistent).'),
    notes: z.string().min(1).max(500).optional().describe('Kept with it; {{guestname}} is filled in.'),
    protected: z.boolean().default(false).describe('Keep it from deletion.'),
    wait_s: waitSeconds.optional(),
  },

  async confirm({ guest: ref, storage, mode }, context) {
    const { guest, state, target } = await plan(context, ref, storage);
    return {
      message: `Back up ${guest.label} to ${target.storage}. It is ${since(state)}. ${modes[mode]}`,
      state: { guest: guest.label, status: state.status, storage: target.storage },
    };
  },

  async run({ guest: ref, storage, mode, notes: text, protected: keep, wait_s }, context) {
    const { pve, signal } = context;
    const planned = await plan(context, ref, storage);
    const { guest, state, target } = planned;
    const started = await pve.post(
      path`/nodes/${guest.node}/vzdump`,
      {
        vmid: guest.vmid,
        storage: target.storage,
        mode,
        compress: target.plugin === 'pbs' ? undefined : 'zstd',
        'notes-template': text === undefined ? undefined : template(text),
        protected: keep || undefined,
        // Without it the retention of the storage would delete older backups.
        remove: false,
      },
      { signal },
    );
    const { done, facts } = await settleJob(context, started, wait_s);
    const told = { guest: guest.label, storage: target.storage, mode };
    if (!done) return answer(`${guest.label} is still being backed up to ${target.storage}`, { ...told, ...facts });
    const notes: string[] = [];
    const backup = await made(context, planned, started, notes);
    const now = mode === 'snapshot' ? undefined : await attempt(readState(pve, guest, signal), notes, 'Its state');
    if (now && now.status !== state.status) notes.push(`It was ${state.status} before, and is ${now.status} now.`);
    return answer(`${guest.label}: backed up to ${target.storage}${backup?.size ? `, ${bytes(backup.size)}` : ''}`, {
      ...told,
      backup: backup?.volid,
      taken: backup?.ctime === undefined ? undefined : iso(backup.ctime),
      size: backup?.size === undefined ? undefined : bytes(backup.size),
      protected: backup?.protected || undefined,
      status: now?.status,
      ...facts,
      notes: noted(notes),
    });
  },
});
