import { z } from 'zod';
import { hookUrl } from '../hooks/address.ts';
import type { CommandRules } from '../toolsets/tool.ts';
import { type ClusterEntry, clusterEntry } from './clusterentry.ts';
import { type Problem, reason } from './problem.ts';
import { clusterName, host, loginName } from './values.ts';

/** What can name a host in a target. */
export const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

const limits = z.strictObject({
  commandsPerMinute: z.number().int().min(1).max(1000).optional(),
  concurrent: z.number().int().min(1).max(100).optional(),
  connectsPerMinute: z.number().int().min(1).max(600).optional(),
});

const pattern = z
  .string()
  .max(200)
  .regex(/^(?=.*\S)[^\p{Cc}]+$/u, 'must be a command, with * for what may be anything');
const patterns = z.array(pattern).max(200).optional();

const commands = z.strictObject({
  allow: patterns,
  ask: patterns,
  deny: patterns,
  otherwise: z.enum(['ask', 'deny']).optional(),
});

const entry = z.strictObject({
  /** May be left out where ~/.ssh/config, the cluster or the settings know the name. */
  address: z.string().pipe(host.schema).optional(),
  port: z.number().int().min(1).max(65535).optional(),
  user: z.string().pipe(loginName.schema).optional(),
  keyPath: z
    .string()
    .regex(/^(~\/|\/)/, 'must be absolute or begin with ~/')
    .optional(),
  /** `[user@]host[:port]`, or several of them, first hop first; a host may be one of this file. */
  via: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  /** The name that known_hosts has its key under, where address and port do not tell it from another host. */
  hostKeyAlias: z.string().regex(HOST_NAME, 'must be a name').optional(),
  displayName: z.string().max(100).optional(),
  purpose: z.string().max(200).optional(),
  tags: z.array(z.string().min(1).max(50)).max(20).optional(),
  /** The host that is meant where a call names none. */
  default: z.boolean().optional(),
  webhook: z
    .url({ protocol: /^https$/, error: 'must be an https URL' })
    .max(2000)
    .superRefine((text, context) => {
      const url = hookUrl(text);
      if ('wrong' in url) context.addIssue({ code: 'custom', message: `must ${url.wrong}` });
    })
    .optional(),
  limits: limits.optional(),
  /** The cluster that it is a node of, where its name and its address do not tell. */
  cluster: z.string().pipe(clusterName.schema).optional(),
  /** For commands on the host and in its containers, beside those for all places. */
  commands: commands.optional(),
});

const schema = z
  .strictObject({
    hosts: z.record(z.string().regex(HOST_NAME), entry).default({}),
    /** Further clusters, beside the one of the settings. */
    clusters: z.record(z.string().pipe(clusterName.schema), clusterEntry).optional(),
    /** For commands everywhere. */
    commands: commands.optional(),
  })
  .superRefine(({ hosts }, context) => {
    const [first, second] = Object.keys(hosts).filter((name) => hosts[name]?.default);
    if (second === undefined) return;
    const message = `"${first}" is the default already, and there can be one`;
    context.addIssue({ code: 'custom', path: ['hosts', second, 'default'], message });
  });

const fields = Object.keys(entry.shape)
  .map((field) => `"${field}"`)
  .join(', ');

/** One host as the inventory file describes it. */
export type HostEntry = z.output<typeof entry>;

export interface HostsFile {
  readonly hosts: ReadonlyMap<string, HostEntry>;
  readonly clusters?: ReadonlyMap<string, ClusterEntry>;
  /** The rules for commands everywhere. */
  readonly commands?: CommandRules;
  readonly problem?: Problem;
  /** It is not used, and may have rules for commands. */
  readonly rulesLost?: true;
  /** It is not used, and may describe clusters. */
  readonly clustersLost?: true;
}

/** Reads the inventory file. It is refused as a whole when a field is wrong; not being there is no problem. */
export function readHostsFile(path: string | undefined, readFile: (path: string) => string): HostsFile {
  const none = new Map<string, HostEntry>();
  if (path === undefined) return { hosts: none };
  const refuse = (why: string, text?: string): HostsFile => ({
    hosts: none,
    rulesLost: text?.includes('"commands"') === false ? undefined : true,
    clustersLost: text?.includes('"clusters"') === false ? undefined : true,
    problem: {
      cause: `The inventory file ${path} is not used: ${why}`,
      cure: `It is JSON: { "hosts": { "NAME": { ${fields} } } }; all may be left out, address where the name is known. Beside "hosts" there may be "commands" and "clusters".`,
    },
  });
  try {
    const text = readFile(path);
    const read = parseHosts(text);
    return 'wrong' in read ? refuse(read.wrong, text) : read;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { hosts: none };
    return refuse(`${reason(error)}.`);
  }
}

/** The hosts of a text, or what is wrong with it, as a sentence. */
export function parseHosts(
  text: string,
): Pick<HostsFile, 'hosts' | 'clusters' | 'commands'> | { readonly wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return { wrong: `${(error as Error).message}.` };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const { hosts, clusters, commands } = parsed.data;
    const described = clusters && new Map(Object.entries(clusters));
    return { hosts: new Map(Object.entries(hosts)), clusters: described, commands };
  }
  const [issue] = parsed.error.issues;
  const where = issue?.path.map(String).join('.') || 'the top level';
  return { wrong: `${where}: ${issue?.message ?? 'wrong'}.` };
}
