import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { guestTarget, parseTarget } from '../../ssh/target.ts';
import { count, onOneLine } from '../format.ts';
import { command } from '../params.ts';
import { defineSshTool, type Preview, type ToolContext } from '../tool.ts';
import { alarmFor } from './alarm.ts';
import { refuseKeyboard } from './keyboard.ts';
import { atEach } from './many.ts';
import { tellMany } from './many-told.ts';
import { placeOf } from './place.ts';
import { placed } from './placed.ts';
import { runAt } from './run-at.ts';
import { inputLines } from './run-command.ts';

const { script, stdin, cwd, env, user, timeout_s, force } = command;

const input = {
  targets: z.array(z.string().min(1).max(255)).min(1).max(100).optional().describe('Places: pve1, ct/400, vm/101.'),
  tag: z.string().min(1).max(128).optional().describe('All hosts with this tag, besides.'),
  script,
  stdin,
  cwd,
  env,
  user,
  sudo: z.boolean().default(false).describe('As root, by sudo.'),
  timeout_s,
  parallel: z.number().int().min(1).max(32).default(8).describe('At once, up to 32.'),
  stop_on_failure: z.boolean().default(false).describe('Begin no more after a failure.'),
  force,
};
type Input = z.infer<z.ZodObject<typeof input>>;

export default defineSshTool({
  name: 'ssh_exec_many',
  title: 'Run a command on many places',
  effect: 'execute',
  summary:
    'Run one script on several hosts, containers and VMs at once. Places with the same outcome are told together; ' +
    'one that fails does not stop the others.',
  search: 'parallel fleet all servers cluster ansible pssh everywhere tag batch',
  input,
  touches: ({ targets = [] }) =>
    targets.map(parseTarget).flatMap((place) => (place.kind === 'host' ? [] : [place.vmid])),
  alarm: ({ targets = [], tag, ...rest }) =>
    alarmFor(rest, tag === undefined && targets.every((one) => /^(ct|lxc)\//.test(one))),
  commands: async (input, context) => {
    if (context.ssh.hosts.rules() === undefined) return [];
    const places = new Set<string>();
    judged.set(context, places);
    // Where there is no such place now, nothing runs, and the answer says why.
    const at = async (target: string) => {
      const commands = await placed(input, context, () => placeOf(target, context)).catch(() => undefined);
      if (commands) places.add(target);
      return commands ?? [];
    };
    return (await Promise.all((await targetsOf(input, context)).map(at))).flat();
  },
  confirm: preview,

  async run(given, context) {
    refuseKeyboard(given);
    const { parallel, stop_on_failure, timeout_s, script, stdin, cwd, env, user, sudo } = given;
    const timeoutMs = timeout_s === undefined ? context.setup.commandTimeoutMs : timeout_s * 1000;
    const targets = await targetsOf(given, context);
    const many = await atEach(targets, { parallel, stopOnFailure: stop_on_failure }, context, async (target) => {
      const place = await placeOf(target, context);
      if (judged.get(context)?.has(target) === false) throw notJudged(place.label);
      const work = { script, stdin, cwd, env, user, timeoutMs, sudo };
      return { place: place.label, result: await runAt(place, work, context) };
    });
    return tellMany(many, context);
  },
});

/** The targets of a call at which its commands were held against the rules. */
const judged = new WeakMap<ToolContext, ReadonlySet<string>>();

const notJudged = (label: string): Failure =>
  new Failure(
    'refused',
    `${label} was not there when the rules for commands were looked at, so nothing was run on it.`,
    'Call again for this place.',
  );

/** One spelling for each place, in the order in which they were given, and then by tag. */
async function targetsOf({ targets = [], tag }: Input, { ssh, cluster }: ToolContext): Promise<string[]> {
  const tagged = tag === undefined ? [] : (await ssh.hosts.list()).filter((host) => host.tags?.includes(tag));
  if (tag !== undefined && tagged.length === 0) {
    throw new Failure('not-found', `No host has the tag "${tag}".`, 'ssh_host_list shows every host with its tags.');
  }
  const named = targets.map((target) => {
    const place = parseTarget(target);
    return place.kind === 'host' ? place.name : guestTarget({ ...place, cluster: place.cluster ?? cluster });
  });
  const all = new Set([...named, ...tagged.map(({ spec }) => spec.name)]);
  if (all.size > 0) return [...all];
  throw new Failure('invalid-input', 'No place was named.', 'Give targets, a tag, or both.');
}

/** Characters of names that a human is shown: a question has room for about 2,000. */
const MOST_NAMED = 1_200;

/** The places by name, as many as there is room for. */
function named(places: readonly string[]): string {
  let shown = places;
  while (shown.join(', ').length > MOST_NAMED && shown.length > 1) shown = shown.slice(0, -1);
  const more = places.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

async function preview(given: Input, context: ToolContext): Promise<Preview> {
  refuseKeyboard(given);
  const targets = await targetsOf(given, context);
  const { outcomes } = await atEach(targets, { parallel: given.parallel }, context, async (target) => ({
    place: (await placeOf(target, context)).label,
  }));
  const places = outcomes.map(({ place, failure }) => (failure ? `${place} (${onOneLine(failure.message)})` : place));
  const as = given.user ?? (given.sudo ? 'root' : undefined);
  const how = `${as === undefined ? '' : `, as ${as}`}${given.cwd === undefined ? '' : `, in ${onOneLine(given.cwd)}`}`;
  const line = `Run on ${count(places.length, 'place')}${how}: ${named(places)}`;
  return { message: [line, ...inputLines(given)].join('\n'), state: { places } };
}
