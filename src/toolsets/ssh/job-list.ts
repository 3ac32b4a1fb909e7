import { asFailure } from '../../failure.ts';
import { answer, type Facts, remote } from '../../present/answer.ts';
import type { BookedJob } from '../../ssh/job-book.ts';
import { parseJobId } from '../../ssh/job-id.ts';
import type { Job } from '../../ssh/jobs.ts';
import { bytes, count, iso } from '../format.ts';
import { target } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { listOnHost } from './job-host.ts';
import { hostFacts, ownFacts } from './job-seen.ts';
import { placeOf, targetOf } from './place.ts';

export default defineSshTool({
  name: 'ssh_job_list',
  title: 'List jobs',
  effect: 'read',
  core: true,
  summary:
    'Jobs of this server, and detached ones started from this machine; with a target, all detached jobs that are ' +
    'there.',
  search: 'background commands running finished processes started nohup',
  input: { target: target.optional().describe('Ask this place too: pve1, ct/400, vm/101.') },
  run: async ({ target: at }, context) => (at === undefined ? known(context) : asked(at, context)),
});

async function known({ ssh }: ToolContext) {
  const own = ssh.jobs.list();
  const booked = (await ssh.jobs.book?.list()) ?? [];
  const jobs = [...own.map(ownRow), ...booked.map(bookedRow)];
  return answer(count(jobs.length, 'job'), {
    jobs,
    next: booked.length > 0 ? 'ssh_job_read, or this with a target, asks the host of a detached one.' : undefined,
  });
}

function ownRow(job: Job): Facts {
  const { told } = ownFacts(job);
  return {
    job: job.id.text,
    state: told,
    started: iso(job.startedAt / 1000),
    output: bytes(job.output.bytes('stdout') + job.output.bytes('stderr')),
    command: remote(firstWords(job.plan.script)),
  };
}

const firstWords = (script: string): string => (script.trim().split('\n')[0] ?? '').slice(0, 80);

const bookedRow = ({ id, startedAt }: BookedJob): Facts => ({
  job: id,
  state: 'not asked',
  started: iso(startedAt / 1000),
  detached: true,
});

async function asked(at: string, context: ToolContext) {
  const place = await placeOf(at, context);
  const target = targetOf(place);
  const { jobs } = context.ssh;
  const booked = ((await jobs.book?.list()) ?? []).filter(({ id }) => parseJobId(id).target === target);
  const runners = [...new Set([undefined, ...booked.map(({ id }) => parseJobId(id).user)])];
  const notes: string[] = [];
  const rows: Facts[] = [];
  const there = new Set<string>();
  const unasked = new Set<string | undefined>();
  for (const user of runners) {
    try {
      for (const job of await listOnHost(place, user, context)) {
        there.add(job.id);
        rows.push(hostRow(job));
      }
    } catch (error) {
      const { message } = asFailure(error);
      if (context.signal.aborted || user === undefined) throw error;
      unasked.add(user);
      notes.push(`Jobs of ${user} are not shown: ${message}`);
    }
  }
  const gone = booked.filter(({ id }) => !there.has(id) && !unasked.has(parseJobId(id).user));
  await jobs.book?.drop(gone.map(({ id }) => id));
  const own = jobs.list().filter(({ id }) => id.target === target);
  const all = [...own.map(ownRow), ...rows];
  return answer(`${count(all.length, 'job')} on ${place.label}`, {
    jobs: all,
    notes: notes.length > 0 ? notes : undefined,
  });
}

function hostRow(job: Awaited<ReturnType<typeof listOnHost>>[number]): Facts {
  return {
    job: job.id,
    state: hostFacts(job).told,
    started: job.startedAt === undefined ? undefined : iso(job.startedAt),
    output: bytes(job.sizes.stdout + job.sizes.stderr),
    command: job.label === '' ? undefined : remote(firstWords(job.label)),
    detached: true,
  };
}
