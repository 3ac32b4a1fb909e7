import { z } from 'zod';
import { cancelled, Failure } from '../failure.ts';
import type { Pve } from '../pve/client.ts';
import { guestsOf, pickGuest } from '../pve/guests.ts';
import { type ResourceRow, readRows } from '../pve/rows.ts';
import { isJobId, parseJobId } from '../ssh/job-id.ts';
import type { Sessions } from '../ssh/sessions.ts';
import { type GuestTarget, parseTarget, type Target } from '../ssh/target.ts';
import { orAfter } from '../toolsets/deadline.ts';
import type { Hosts, Tool } from '../toolsets/tool.ts';

/** Whether a call of the tool is about one cluster, or about all of them. */
const isAboutClusters = ({ toolset, schema }: Tool): boolean =>
  toolset === 'pve' || ['target', 'targets', 'guest', 'vmid'].some((name) => name in schema.shape);

/** The tool as it is where there are several clusters: its input may name one, and what it says does. */
export function takingCluster(tool: Tool, names: readonly string[]): Tool {
  if (!isAboutClusters(tool)) return tool;
  const { touches, alarm, commands, confirm } = tool;
  const says = tool.spans ? 'Only this one.' : 'Needed where not just one of them has the guest or node that is meant.';
  const cluster = z.enum(names).optional().describe(says);
  return {
    ...tool,
    clusters: names,
    schema: tool.schema.extend({ cluster }),
    touches: touches && ((input, context) => touches(withoutCluster(input), context)),
    alarm: alarm && ((input, context) => alarm(withoutCluster(input), context)),
    commands: commands && ((input, context) => commands(withoutCluster(input), context)),
    confirm:
      confirm &&
      (async (input, context) => {
        const { message, state } = await confirm(withoutCluster(input), context);
        return { message: `In the cluster ${context.cluster}:\n${message}`, state };
      }),
    async run(input, context) {
      const told = await tool.run(withoutCluster(input), context);
      if (context.cluster === undefined) return told;
      return {
        headline: `${context.cluster}: ${told.headline}`,
        facts: { in_cluster: context.cluster, ...told.facts },
      };
    },
  };
}

/** What the tool itself knows of. */
function withoutCluster(input: unknown): Record<string, unknown> {
  const { cluster: _, ...rest } = input as Record<string, unknown>;
  return rest;
}

/** What the choice is made from. */
export interface ChoosingParts {
  /** Several; the first is that of the settings. */
  readonly clusters: readonly { readonly name: string; readonly pve: Pve }[];
  readonly hosts: Pick<Hosts, 'find' | 'list' | 'usual'>;
  readonly sessions: Pick<Sessions, 'peek'>;
}

type Input = Readonly<Record<string, unknown>>;

/** The cluster that a call is about; undefined for a tool that spans all and was told of none. */
export type ChooseCluster = (tool: Tool, input: Input, signal: AbortSignal) => Promise<string | undefined>;

/** A cluster that does not tell what it has within so long counts as silent. */
const LOOK_MS = 5_000;

/**
 * Chooses by what the input names: a cluster, a host that belongs to one, or a guest or node that one alone has. What is
 * not certain is `ambiguous`, and nothing is done: a VMID means another guest in each cluster.
 */
export function createChoosing({ clusters, hosts, sessions }: ChoosingParts): ChooseCluster {
  const all = clusters.map(({ name }) => name);
  const [main = ''] = all;

  /** What is no host is told by the tool, with the nearest names. */
  const clusterOfHost = async (name: string | undefined): Promise<string> => {
    const host = await (name === undefined ? hosts.usual() : hosts.find(name)).catch(() => undefined);
    return host?.cluster ?? main;
  };
  const tagged = async (tag: string): Promise<readonly string[]> =>
    (await hosts.list()).filter(({ tags }) => tags?.includes(tag)).map(({ cluster }) => cluster ?? main);
  const said = async ({ schema }: Tool, input: Input, places: readonly Place[]): Promise<readonly string[]> => {
    const { cluster, tag } = input;
    const byPlace = places.map(async (place) => (isGuest(place) ? (place.cluster ?? []) : clusterOfHost(place?.name)));
    const byTag = typeof tag === 'string' && 'targets' in schema.shape ? tagged(tag) : [];
    return [
      ...new Set([typeof cluster === 'string' ? cluster : [], ...(await Promise.all([...byPlace, byTag]))].flat()),
    ];
  };

  /** The clusters that have all of these. */
  const having = async (wanted: Wanted, tool: Tool, signal: AbortSignal): Promise<readonly string[]> => {
    const inTime = orAfter(signal, LOOK_MS);
    const looks = await Promise.allSettled(clusters.map(({ pve }) => readRows(pve, {}, { signal: inTime })));
    if (signal.aborted) throw cancelled(tool.name);
    const seen = looks.flatMap((look, i) =>
      look.status === 'fulfilled' ? [{ name: all[i] ?? '', rows: look.value, things: thingsIn(look.value) }] : [],
    );
    const things = [...wanted.guests.map(guestThing), ...wanted.nodes.map((one) => `node ${one}`)];
    const known = things.filter((thing) => seen.some((one) => one.things.has(thing)));
    const able = seen.filter((one) => known.length > 0 && known.every((thing) => one.things.has(thing)));
    const silent = all.filter((name) => !seen.some((one) => one.name === name));
    if (silent.length > 0 && (tool.effect !== 'read' || able.length === 0)) throw cannotTell(silent, all);
    const missing = wanted.named !== undefined && !known.includes(guestThing(wanted.named)) ? wanted.named : undefined;
    if (missing !== undefined) pickGuest(guestsOf(seen.flatMap(({ rows }) => rows)), missing);
    return able.map(({ name }) => name);
  };

  return async (tool, input, signal) => {
    const places = placesOf(tool, input, sessions);
    const named = await said(tool, input, places);
    const unknown = named.find((name) => !all.includes(name));
    if (unknown !== undefined) throw new Failure('not-found', `There is no cluster ${unknown}.`, oneOf(all));
    const [only, ...others] = named;
    if (others.length > 0) throw several(named, input.cluster !== undefined);
    if (input.cluster !== undefined) return only;
    const wanted = wantedBy(tool, input, places);
    if (wanted.guests.length + wanted.nodes.length > 0) {
      const [one, ...more] = await having(wanted, tool, signal);
      if (one !== undefined && more.length === 0 && (only ?? one) === one) return one;
    } else if (only !== undefined || tool.spans) return only;
    else if (!tool.clusters) return main;
    throw new Failure(
      'ambiguous',
      `Nothing says which cluster is meant: ${all.join(' or ')}. ${tool.name} was not run.`,
      'Give cluster. It is not needed for a guest or node that one cluster alone has.',
    );
  };
}

/** Where something would run; undefined for the usual host. */
type Place = Target | undefined;

const isGuest = (place: Place): place is GuestTarget => place !== undefined && place.kind !== 'host';

/** Where the call would run, by any parameter that says so. */
function placesOf(tool: Tool, input: Input, sessions: ChoosingParts['sessions']): readonly Place[] {
  const { target, targets, session, job } = input;
  const opened = typeof session === 'string' ? sessions.peek(session)?.plan.target : undefined;
  const texts = [
    ...(typeof target === 'string' ? [target] : []),
    ...(Array.isArray(targets) ? targets.map(String) : []),
    ...(opened === undefined ? [] : [opened]),
    ...(typeof job === 'string' && isJobId(job) ? [parseJobId(job).target] : []),
  ];
  const usual = 'target' in tool.schema.shape && target === undefined ? [undefined] : [];
  return [...texts.map(parseTarget), ...usual];
}

/** What tells a cluster: guests by VMID or name, and nodes. The VMID of a new guest tells none, nor does one in a volume's name. */
interface Wanted {
  readonly guests: readonly (string | number)[];
  readonly nodes: readonly string[];
  /** The guest that has to be there. */
  readonly named?: string | number;
}

const isRef = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';

function wantedBy(tool: Tool, input: Input, places: readonly Place[]): Wanted {
  const { guest, vmid, node, upid, path } = input;
  const inside = places.filter(isGuest).flatMap((place) => (place.cluster === undefined ? [place.vmid] : []));
  const spoken = [
    node,
    typeof upid === 'string' ? /^UPID:([^:]+):/.exec(upid)?.[1] : undefined,
    tool.toolset === 'pve' && typeof path === 'string' ? /^\/nodes\/([^/]+)/.exec(path)?.[1] : undefined,
  ];
  return {
    guests: [...[guest, vmid].flat().filter(isRef), ...inside],
    nodes: spoken.filter((one) => typeof one === 'string'),
    named: isRef(guest) ? guest : undefined,
  };
}

const guestThing = (ref: string | number): string => `guest ${String(ref).trim().toLowerCase()}`;

/** `guest 400`, `guest keycloak`, `node pve1`: what rows of /cluster/resources tell of. */
const thingsIn = (rows: readonly ResourceRow[]): ReadonlySet<string> =>
  new Set([
    ...guestsOf(rows).flatMap(({ vmid, name }) => [guestThing(vmid), guestThing(name)]),
    ...rows.flatMap(({ type, node }) => (type === 'node' && node !== undefined ? [`node ${node}`] : [])),
  ]);

const oneOf = (all: readonly string[]): string => `Give cluster: ${all.join(' or ')}.`;

const several = (names: readonly string[], given: boolean): Failure =>
  new Failure(
    'invalid-input',
    `The call is about more than one cluster: ${names.join(', ')}. Nothing was done.`,
    given ? 'Leave cluster out: what was named is in the cluster that it is in.' : 'Make a call for each.',
  );

const cannotTell = (silent: readonly string[], all: readonly string[]): Failure =>
  new Failure(
    'unreachable',
    `${silent.join(', ')} did not answer, so nobody can tell which cluster is meant. Nothing was done.`,
    oneOf(all),
  );
