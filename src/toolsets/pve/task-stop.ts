import { Failure } from '../../failure.ts';
import { answer, type Facts, remote } from '../../present/answer.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { parseUpid, taskLog, taskStatus, type Upid, waitForTask } from '../../pve/task.ts';
import { iso } from '../format.ts';
import { upid } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { type GuestState, readState } from './state.ts';
import { verdict } from './tasks.ts';

/** What a task of that type may leave behind when it is stopped, by the first that fits. */
const remains: readonly (readonly [RegExp, string])[] = [
  [
    /^vzdump$/,
    'No backup is made. The guest may stay locked (backup), and stopped or paused where the mode does that.',
  ],
  [/snapshot$/, 'The guest may stay locked, with half of a snapshot.'],
  [/rollback$/, 'The guest may stay locked and stopped, with its disks half rolled back.'],
  [
    /clone$|create$|restore$/,
    'A guest that is half made may stay, locked, with its disks; one that was being overwritten is lost.',
  ],
  [/migrate$/, 'The guest may stay locked, with copies of its disks on both nodes.'],
  [/destroy$|imgdel$/, 'What was deleted until then is gone, the rest stays.'],
  [/move|resize|template/, 'The guest may stay locked, with disks that are half done.'],
  [/^download$/, 'The file is not there, or a part of it.'],
];

const leftBehind = ({ type }: Upid): string =>
  remains.find(([sign]) => sign.test(type))?.[1] ?? 'What it did until then stays; a lock that it holds may stay too.';

/** More lines than a backup of many guests has. */
const WHOLE_LOG = 100_000;

/** The guest that a backup of several is at: its id names none, its log does (recordings c-vzdump-*). */
async function backedUp({ pve, signal }: ToolContext, upid: string): Promise<string | undefined> {
  const { lines } = await taskLog(pve, upid, { signal, lines: WHOLE_LOG });
  const begun = lines.flatMap((line) => /^INFO: Starting Backup of VM (\d+) /.exec(line)?.[1] ?? []);
  return begun.at(-1);
}

/** The guest that a task is about, when its id is one's; of a backup of several the one that it is at. */
async function guestOf(context: ToolContext, upid: string): Promise<Guest | undefined> {
  const { id, type } = parseUpid(upid);
  const named = /^\d+$/.test(id) ? id : type === 'vzdump' && id === '' ? await backedUp(context, upid) : undefined;
  if (named === undefined) return undefined;
  const { pve, signal, setup } = context;
  const guest = (await listGuests(pve, { signal })).find(({ vmid }) => String(vmid) === named);
  if (!setup.protectedGuests.includes(Number(named))) return guest;
  throw new Failure(
    'refused',
    `The backup is at ${guest?.label ?? `guest ${named}`}, which is protected by the operator's settings. Nothing was done.`,
    'Wait until it is at another guest, or ask the operator.',
  );
}

/** Where nobody is protected, a guest that cannot be read does not keep a task from being stopped. */
const guestIn = (context: ToolContext, upid: string, notes: string[]): Promise<Guest | undefined> => {
  const found = guestOf(context, upid);
  return context.setup.protectedGuests.length > 0 ? found : attempt(found, notes, 'Its guest');
};

const title = ({ type, id, node }: Upid): string => `${type}${id === '' ? '' : ` ${id}`} on ${node}`;

async function refuseEnded({ pve, signal }: ToolContext, upid: string): Promise<void> {
  const { running, exit = 'not known' } = await taskStatus(pve, upid, { signal });
  if (running) return;
  throw new Failure(
    'conflict',
    `Task ${title(parseUpid(upid))} is not running any more; it ended: ${exit}. Nothing was done.`,
    'Nothing has to be stopped.',
  );
}

async function preview(context: ToolContext, upid: string) {
  const task = parseUpid(upid);
  await refuseEnded(context, upid);
  const { pve, signal } = context;
  const [log, guest] = await Promise.all([
    attempt(taskLog(pve, upid, { signal, lines: 1 }), [], 'Its log'),
    guestIn(context, upid, []),
  ]);
  const last = log?.lines.at(-1);
  const lines = [
    `Stop the task ${title(task)}, which ${task.user} began at ${iso(task.startTime)}${guest ? `, for ${guest.label}` : ''}.`,
    ...(last ? [`It is at: ${last.slice(0, 300)}`] : []),
    `It is ended in the middle. ${leftBehind(task)}`,
  ];
  return {
    message: lines.join('\n'),
    state: { upid, running: true, ...(task.id === '' && guest && { vmid: guest.vmid }) },
  };
}

/** The lock and the power of its guest, as they are now. */
function afterwards(guest: Guest, before: GuestState | undefined, now: GuestState, notes: string[]): void {
  if (now.lock !== undefined) {
    notes.push(
      `${guest.label} is locked (${now.lock}). If no other task works on it, pve_guest_configure with unlock: true frees it.`,
    );
  }
  if (before && before.status !== now.status)
    notes.push(`${guest.label} was ${before.status}, and is ${now.status} now.`);
}

const WAIT_MS = 10_000;

/** Waits for the end. That it is no good end is what was wanted; how it ended is read afterwards. */
async function awaitEnd({ pve, signal }: ToolContext, upid: string): Promise<void> {
  try {
    await waitForTask(pve, upid, { waitMs: WAIT_MS, signal });
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'task-failed')) throw error;
  }
}

export default definePveTool({
  name: 'pve_task_stop',
  title: 'Stop a running task',
  effect: 'destroy',
  summary: 'Stop a running task in the middle of what it does: a guest may stay locked, stopped or half made by it.',
  search: 'cancel abort kill interrupt hung backup migration clone job end',
  input: { upid },
  touches: ({ upid }) => parseUpid(upid).id.match(/^\d+/) ?? [],

  confirm: async ({ upid }, context) => preview(context, upid),

  async run({ upid }, context) {
    const { pve, signal } = context;
    const task = parseUpid(upid);
    await refuseEnded(context, upid);
    const notes: string[] = [];
    const guest = await guestIn(context, upid, notes);
    const before = guest && (await attempt(readState(pve, guest, signal), notes, 'The state of its guest'));
    await pve.delete(path`/nodes/${task.node}/tasks/${upid}`, {}, { signal });
    await awaitEnd(context, upid);
    const { running, exit = '' } = await taskStatus(pve, upid, { signal });
    const log = await attempt(taskLog(pve, upid, { signal, lines: 5 }), notes, 'Its log');
    const now = guest && (await attempt(readState(pve, guest, signal), notes, 'The state of its guest afterwards'));
    if (guest && now) afterwards(guest, before, now, notes);
    const good = !running && ['ok', 'warnings'].includes(verdict(exit));
    const end = running
      ? 'was told to stop, and is still running'
      : good
        ? 'ended well before it was stopped'
        : 'was stopped';
    const facts: Facts = {
      upid,
      running: running || undefined,
      exit_status: running ? undefined : remote(exit),
      guest: guest?.label,
      status: now?.status,
      lock: now?.lock,
      may_be_left: good ? undefined : leftBehind(task),
      log: log && log.lines.length > 0 ? remote(log.lines.join('\n')) : undefined,
      notes: noted(notes),
    };
    return answer(`${title(task)} ${end}`, facts);
  },
});
