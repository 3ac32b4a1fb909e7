import type { Guest, Storage } from '../world.ts';
import { checkLock, checkQuorum, type Ground, type GuestRef } from './operations.ts';
import { turnOff, turnOn } from './power.ts';
import { backupVolume } from './storages.ts';
import { type By, Refusal, type Step, type Task } from './tasks.ts';
import { archiveLines, type BackupMode, closingLines, openingLines, type Told } from './vzdump-log.ts';

export interface BackupRequest {
  readonly node: string;
  readonly vmids: readonly number[];
  readonly storage: Storage;
  readonly mode: BackupMode;
  /** What vzdump's command line shows. */
  readonly command: string;
  readonly extension: string;
  readonly notes?: string;
  readonly protected: boolean;
}

export interface Backups {
  /** A vzdump job; a guest that cannot be backed up makes it end with `job errors`. */
  backUp(request: BackupRequest, by: By): Task;
  /** Deletes a volume, as storage content DELETE does; the id of its task is `100@local` or `local`. */
  deleteVolume(node: string, storage: Storage, volid: string, by: By): Task;
}

const MiB = 1024 ** 2;

export function backupOperations(ground: Ground, at: (ref: GuestRef) => Guest): Backups {
  return {
    backUp(request, by) {
      const start: Step = { seconds: 0, log: [`INFO: starting new backup job: ${request.command}`] };
      const log: string[] = [];
      const steps = request.vmids.flatMap((vmid) => guestSteps(ground, at, request, vmid, log));
      const sum: Step = {
        seconds: 0,
        log: () => [`INFO: Backup job finished ${log.length > 0 ? 'with errors' : 'successfully'}`],
      };
      const end: Step = {
        seconds: 0,
        run: () => {
          if (log.length > 0) throw new Refusal('job errors');
        },
      };
      const id = request.vmids.length === 1 ? String(request.vmids[0]) : '';
      return ground.begin({ node: request.node, type: 'vzdump', id, by, steps: [start, ...steps, sum, end] });
    },
    deleteVolume(node, storage, volid, by) {
      const volume = storage.volumes.find(
        (one) => one.volid === volid && (one.node === undefined || one.node === node),
      );
      const name = volid.slice(volid.indexOf(':') + 1);
      const run = () => {
        if (volume?.protected) throw new Refusal(`cannot remove protected volume '${name}' on '${storage.name}'`);
        if (volume) storage.volumes.splice(storage.volumes.indexOf(volume), 1);
      };
      const file = `/var/lib/vz/template/${name}`;
      const absent = volume ? [] : [`disk image '${file}' does not exist`];
      const id = volume?.vmid === undefined ? storage.name : `${volume.vmid}@${storage.name}`;
      return ground.begin({
        node,
        type: 'imgdel',
        id,
        by,
        steps: [{ seconds: 1, run, log: [...absent, `Removed volume '${volid}'`] }],
      });
    },
  };
}

const SECONDS = 18;

/** One guest's part of the job. A failure is remembered in `failed` and the job goes on. */
function guestSteps(
  ground: Ground,
  at: (ref: GuestRef) => Guest,
  request: BackupRequest,
  vmid: number,
  failed: string[],
): Step[] {
  const known = ground.guest(vmid);
  if (known === undefined) return [];
  const ref = { node: request.node, kind: known.kind, vmid };
  const begun = ground.now();
  const format = `${known.kind === 'lxc' ? 'tar' : 'vma'}${request.extension}`;
  const volume = backupVolume(request.storage, known, begun, format, 820 * MiB);
  const running = known.status === 'running';
  const told: Told = {
    guest: known,
    mode: running ? request.mode : 'stop',
    running,
    begun,
    archive: `${request.storage.options.path ?? '/var/lib/vz'}/dump/${volume.volid.split('/').at(-1)}`,
    notes: Boolean(request.notes),
  };
  let failure: string | undefined;
  const begin = () => {
    try {
      checkLock(at(ref));
      checkQuorum(ground, at(ref));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failure = error.message;
      failed.push(error.message);
      return;
    }
    at(ref).lock = 'backup';
    if (told.mode === 'stop' && running) turnOff(at(ref));
  };
  const finish = () => {
    if (failure !== undefined) return;
    const guest = at(ref);
    guest.lock = undefined;
    if (running && guest.status === 'stopped') turnOn(guest, ground.now());
    request.storage.volumes.push({
      ...volume,
      ...(request.notes ? { notes: filledIn(request.notes, guest) } : {}),
      protected: request.protected,
    });
  };
  const unlessFailed = (lines: readonly string[]) => () => (failure === undefined ? lines : []);
  return [
    { seconds: 1, run: begin, log: () => openingLines(told, failure) },
    { seconds: 15, log: unlessFailed(archiveLines(told)) },
    { seconds: 2, run: finish, log: unlessFailed(closingLines(told, SECONDS)) },
  ];
}

/** {{guestname}} and the like, and the escapes of the one line that a template is (PVE::VZDump). */
function filledIn(template: string, { vmid, node, config }: Guest): string {
  const known: Record<string, string> = {
    guestname: String(config.hostname ?? config.name),
    node,
    vmid: String(vmid),
    cluster: 'homelab',
  };
  const text = template.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return text.replace(/\{\{(\w+)\}\}/g, (all, name: string) => known[name] ?? all);
}
