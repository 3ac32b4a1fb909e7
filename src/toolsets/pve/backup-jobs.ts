import { z } from 'zod';
import { answer, type Facts, remote } from '../../present/answer.ts';
import { flag, num, text } from '../../pve/fields.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { words } from '../../pve/rows.ts';
import { count, iso } from '../format.ts';
import { definePveTool } from '../tool.ts';
import { attempt, noted } from './attempt.ts';

const jobShape = z.array(
  z.object({
    id: z.string(),
    enabled: flag,
    schedule: text,
    'next-run': num,
    storage: text,
    mode: text,
    node: text,
    all: flag,
    exclude: text,
    pool: text,
    vmid: text,
    comment: text,
    'prune-backups': z.union([z.string(), z.record(z.string(), z.union([z.string(), z.number()]))]).optional(),
  }),
);
type Job = z.infer<typeof jobShape>[number];

const uncoveredShape = z.array(z.object({ vmid: z.number(), name: text, type: text }));

/** A job is enabled unless it says otherwise (schema of GET /cluster/backup). */
const enabled = (job: Job): boolean => job.enabled !== false;

/** Whether the job is about the guest, as far as its own words tell; a job of one node leaves the others alone. */
function covers(job: Job, guest: Guest): boolean {
  if (job.node !== undefined && job.node !== guest.node) return false;
  if (job.pool !== undefined) return guest.pool === job.pool;
  if (job.all) return !words(job.exclude ?? '').includes(String(guest.vmid));
  return words(job.vmid ?? '').includes(String(guest.vmid));
}

const label = ({ vmid, name }: { readonly vmid: number; readonly name?: string }): string =>
  name === undefined ? String(vmid) : `${vmid} (${name})`;

function guestsOf(job: Job, guests: readonly Guest[]): string {
  const named = (list: string): string =>
    words(list)
      .map((id) => label(guests.find(({ vmid }) => String(vmid) === id) ?? { vmid: Number(id) }))
      .join(', ');
  const where = job.node === undefined ? '' : ` on ${job.node}`;
  if (job.pool !== undefined) return `pool ${job.pool}${where}`;
  if (!job.all) return `${named(job.vmid ?? '')}${where}`;
  return job.exclude ? `all${where} but ${named(job.exclude)}` : `all${where}`;
}

/** `keep-daily=7,keep-weekly=4`, however the server writes it. */
const keepOf = (keep: Job['prune-backups']): string | undefined =>
  typeof keep === 'object'
    ? Object.entries(keep)
        .map(([name, value]) => `${name}=${value}`)
        .join(',')
    : keep;

const facts = (job: Job, guests: readonly Guest[]): Facts => ({
  job: job.id,
  enabled: enabled(job),
  schedule: job.schedule,
  next_run: enabled(job) && job['next-run'] !== undefined ? iso(job['next-run']) : undefined,
  guests: guestsOf(job, guests),
  storage: job.storage,
  mode: job.mode ?? 'snapshot',
  keep: keepOf(job['prune-backups']),
  comment: job.comment?.trim() ? remote(job.comment.trim()) : undefined,
});

const SHOWN = 100;

export default definePveTool({
  name: 'pve_backup_jobs',
  title: 'List backup jobs and what they miss',
  effect: 'read',
  summary:
    'Scheduled backup jobs (when, which guests, where to, what is kept), and the guests that no active job ' +
    'covers.',
  search: 'list cron nightly automatic vzdump plan coverage unprotected not backed up retention prune disabled',
  input: {},

  async run(_, { pve, signal }) {
    const notes: string[] = [];
    const [jobs, missed, all] = await Promise.all([
      pve.get(path`/cluster/backup`, jobShape, {}, { signal }),
      attempt(
        pve.get(path`/cluster/backup-info/not-backed-up`, uncoveredShape, {}, { signal }),
        notes,
        'The guests in no job',
      ),
      attempt(listGuests(pve, { signal }), notes, 'The guests'),
    ]);
    const guests = all ?? [];
    const on = jobs.filter(enabled);
    const dormant = guests.filter(
      (guest) => jobs.some((job) => covers(job, guest)) && !on.some((job) => covers(job, guest)),
    );
    const none = missed === undefined ? '' : `; ${count(missed.length, 'guest')} in none`;
    const off = dormant.length > 0 ? `, ${dormant.length} only in one that is off` : '';
    return answer(`${count(jobs.length, 'backup job')}, ${on.length} enabled${none}${off}`, {
      jobs: jobs.map((job) => facts(job, guests)),
      in_no_job: missed
        ?.sort((a, b) => a.vmid - b.vmid)
        .slice(0, SHOWN)
        .map(label),
      only_in_disabled_jobs: dormant.length > 0 ? dormant.slice(0, SHOWN).map(label) : undefined,
      notes: noted(notes),
    });
  },
});
