import type { Guest } from '../world.ts';

/** A scheduled backup, as /etc/pve/jobs.cfg has it. */
export interface BackupJob {
  readonly id: string;
  readonly enabled: boolean;
  readonly schedule: string;
  /** Epoch seconds. */
  readonly nextRun?: number;
  readonly storage: string;
  readonly mode: 'snapshot' | 'suspend' | 'stop';
  /** Which guests: all but `exclude`, those of a pool, or `vmid`, a list. */
  readonly all?: boolean;
  readonly exclude?: string;
  readonly vmid?: string;
  readonly comment?: string;
  readonly keep?: Readonly<Record<string, number>>;
}

const list = (text = ''): number[] => text.split(',').filter(Boolean).map(Number);

/** Whether the job is about the guest; PVE::VZDump::get_included_guests does not ask whether it is enabled. */
export const covers = (job: BackupJob, { vmid }: Pick<Guest, 'vmid'>): boolean =>
  job.all ? !list(job.exclude).includes(vmid) : list(job.vmid).includes(vmid);

/** Every night to the backup server; gitlab once a week to the NAS, which somebody has switched off. */
export function homelabBackupJobs(start: number): BackupJob[] {
  const midnight = Math.floor(start / 86_400_000) * 86_400;
  return [
    {
      id: 'backup-nightly',
      enabled: true,
      schedule: '02:30',
      nextRun: midnight + 86_400 + 9_000,
      storage: 'pbs',
      mode: 'snapshot',
      vmid: '101,200,410',
      comment: 'Every night',
      keep: { 'keep-daily': 7, 'keep-weekly': 4 },
    },
    {
      id: 'backup-gitlab',
      enabled: false,
      schedule: 'sat 04:00',
      storage: 'nas',
      mode: 'stop',
      vmid: '300',
      comment: 'gitlab',
    },
  ];
}

/** Takes the guest out of every job that lists it; a job that lists no other goes (PVE::API2::Backup). */
export function unschedule(jobs: BackupJob[], vmid: number): void {
  for (const job of jobs.filter((one) => list(one.vmid).includes(vmid))) {
    const left = list(job.vmid).filter((one) => one !== vmid);
    jobs.splice(jobs.indexOf(job), 1, ...(left.length > 0 ? [{ ...job, vmid: left.join(',') }] : []));
  }
}
