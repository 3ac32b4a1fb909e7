import { Failure } from '../../failure.ts';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import { hunt, LOOK_SCRIPT } from '../../ssh/hunt.ts';
import { type JobId, parseJobId } from '../../ssh/job-id.ts';
import type { Job } from '../../ssh/jobs.ts';
import type { Killed } from '../../ssh/kill.ts';
import { quote } from '../../ssh/quote.ts';
import { parseTarget } from '../../ssh/target.ts';
import { job } from '../params.ts';
import { defineSshTool, type ToolContext } from '../tool.ts';
import { endOnHost } from './job-host.ts';
import { noJob } from './job-read.ts';
import { ownFacts } from './job-seen.ts';
import type { Place } from './place.ts';
import { runAt } from './run-at.ts';

export default defineSshTool({
  name: 'ssh_job_kill',
  title: 'End a job',
  effect: 'change',
  core: true,
  summary:
    'End every process of a job, and say what was seen. Of a detached job that is over, remove what it left on ' +
    'its host, output included (else gone a week after its start).',
  search: 'stop terminate cancel abort background command signal TERM KILL cleanup',
  input: { job },
  touches: ({ job: text }) => {
    const place = parseTarget(parseJobId(text).target);
    return place.kind === 'host' ? [] : [place.vmid];
  },

  async run({ job: text }, context) {
    const id = parseJobId(text);
    const own = context.ssh.jobs.find(id);
    return own ? killHere(own) : killThere(id, context);
  },
});

async function killHere(own: Job): Promise<Answer> {
  const { text } = own.id;
  const running = own.endedAt === undefined;
  if (running) await own.kill();
  const { told, facts } = ownFacts(own);
  if (!running) return answer(`${text} was over before: ${told}`, { job: text, ...facts });
  const state = own.failure ? own.failure.facts.remote_process : 'terminated';
  return ended(text, own.plan.label, state, { job: text, ...facts });
}

/** Tells what was seen; that something still runs is a failure. */
function ended(job: string, label: string, state: unknown, facts: Facts): Answer {
  if (state === 'terminated') return answer(`${job} on ${label} ended: none of its processes is left`, facts);
  const seen = state === 'still running' ? 'some of its processes still run' : 'whether they all ended is unknown';
  throw new Failure(
    'remote-error',
    `${job} on ${label} was told to end; ${seen}.`,
    'Call again, or look with ps there: what runs as root may need ssh_sudo_exec to be ended.',
    { facts },
  );
}

async function killThere(id: JobId, context: ToolContext): Promise<Answer> {
  const { place, state, words } = await endOnHost(id, context);
  const { book } = context.ssh.jobs;
  if (state === 'missing') {
    await book?.drop([id.text]);
    throw noJob(id, place.label);
  }
  if (state !== 'running') {
    await book?.drop([id.text]);
    return answer(`${id.text} on ${place.label} was over; what it left there is removed`, { job: id.text });
  }
  const [cookie = '', pid = '', begun = ''] = words;
  const killed = await endProcesses(place, id, { cookie, leader: `${pid}.${begun}` }, context);
  const pids = killed.pids.length > 0 ? killed.pids : undefined;
  return ended(id.text, place.label, killed.state, {
    job: id.text,
    state: 'killed',
    remote_process: killed.state,
    pids,
    next: 'Its output can still be read; ending it once more removes that.',
  });
}

const LIMIT_MS = 8_000;

/** Ends what has the job's cookie, its first process, and what descends from or shares a session with them. */
async function endProcesses(
  place: Place,
  { user }: JobId,
  { cookie, leader }: { readonly cookie: string; readonly leader: string },
  context: ToolContext,
): Promise<Killed> {
  let seen: Killed = { state: 'unknown', pids: [] };
  const until = performance.now() + LIMIT_MS;
  let first = true;
  const ask = async (line: string): Promise<string | undefined> => {
    if (performance.now() > until) return undefined;
    // By its start time too: a pid alone may be another's by now.
    const order = first ? `${line} ${leader}` : line;
    first = false;
    const look = { script: `exec sh -c ${quote(LOOK_SCRIPT)}`, stdin: `${order}\ngo\n`, user, timeoutMs: LIMIT_MS };
    const { stdout } = await runAt(place, look, context);
    return stdout.text.split('\n').find((text) => /^(proc|group)[ |]/.test(text));
  };
  await hunt({ cookie }, ask, ({ pids, by }, empty) => {
    seen = { state: empty > 1 ? 'terminated' : empty === 1 ? 'unknown' : 'still running', pids, by };
  }).catch(() => undefined);
  return seen;
}
