import { z } from 'zod';
import { answer, type Facts, remote } from '../../present/answer.ts';
import { count } from '../format.ts';
import { limit } from '../params.ts';
import { defineSshTool, type KnownHost, type Learned, type Shell } from '../tool.ts';
import { limitsInShort } from './host-limits.ts';
import { capabilityNames } from './host-reading.ts';
import { ranked } from './host-score.ts';
import { isOnline, loginOf, stateOf } from './host-state.ts';

const unlessEmpty = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list && list.length > 0 ? list : undefined;

function row(
  { spec, source, cluster, displayName, purpose, tags, usual }: KnownHost,
  ssh: Shell,
  learned?: Learned,
): Facts {
  const connection = ssh.connection(spec);
  return {
    host: spec.name,
    default: usual || undefined,
    display_name: displayName,
    login: loginOf(spec),
    via: unlessEmpty(spec.via?.map((hop) => hop.name)),
    known_from: source,
    in_cluster: cluster,
    purpose,
    tags: unlessEmpty(tags),
    capabilities: unlessEmpty(learned?.capabilities),
    limits: limitsInShort(spec.limits),
    state: stateOf(connection),
    last_error: connection.lastError === undefined ? undefined : remote(connection.lastError),
  };
}

interface Wish {
  readonly query?: string;
  readonly tags?: readonly string[];
  readonly purpose?: string;
  readonly capability?: string;
  readonly online_only: boolean;
}

/** Hosts that fit the wish, the best first where there are words to fit. */
function chosen(
  hosts: readonly KnownHost[],
  wish: Wish,
  ssh: Shell,
  learned: ReadonlyMap<string, Learned>,
): KnownHost[] {
  const { query, tags = [], purpose = '', capability, online_only } = wish;
  const fitting = hosts.filter(
    (host) =>
      tags.every((tag) => host.tags?.includes(tag)) &&
      (host.purpose ?? '').toLowerCase().includes(purpose.toLowerCase()) &&
      (capability === undefined || learned.get(host.spec.name)?.capabilities.includes(capability)) &&
      (!online_only || isOnline(ssh.connection(host.spec))),
  );
  return query === undefined ? fitting : ranked(fitting, query);
}

function notes(hosts: readonly KnownHost[], { capability }: Wish, learned: ReadonlyMap<string, Learned>): string[] {
  if (hosts.length === 0) return ['None is known: set SSH_HOST, or list hosts in the inventory file.'];
  const unseen = hosts.filter(({ spec }) => !learned.has(spec.name)).length;
  return capability === undefined || unseen === 0
    ? []
    : [`What ${count(unseen, 'host')} can do is not known: ssh_host_get finds out.`];
}

export default defineSshTool({
  name: 'ssh_host_list',
  title: 'List SSH hosts',
  effect: 'read',
  core: true,
  summary:
    'Hosts that can be a target, from cluster, settings, inventory file and ~/.ssh/config: login, jump hosts, ' +
    'purpose, tags, limits, state when last used. Connects to none.',
  search: 'list servers machines available config known connections find search online',
  input: {
    query: z.string().optional().describe('Words to find.'),
    tags: z.array(z.string()).optional().describe('All of these.'),
    purpose: z.string().optional().describe('Part of its purpose.'),
    capability: z.enum(capabilityNames).optional().describe('Found by ssh_host_get.'),
    online_only: z.boolean().default(false).describe('Reached lately, and not failed since.'),
    limit: limit(200, 100),
  },

  async run({ limit: most, ...wish }, { ssh }) {
    const hosts = await ssh.hosts.list();
    const learned = ssh.memory.of(hosts.map(({ spec }) => spec));
    const found = chosen(hosts, wish, ssh, learned);
    const shown = found.slice(0, most);
    const { online_only: online, ...words } = wish;
    const whole = !online && Object.values(words).every((word) => word === undefined);
    const unusable = whole ? await ssh.hosts.unusable() : [];
    return answer(count(found.length, 'host'), {
      hosts: shown.map((host) => row(host, ssh, learned.get(host.spec.name))),
      not_shown: found.length - shown.length || undefined,
      cannot_be_used: unlessEmpty(unusable.slice(0, most).map(({ name, why }) => ({ host: name, why }))),
      notes: unlessEmpty(notes(hosts, wish, learned)),
    });
  },
});
