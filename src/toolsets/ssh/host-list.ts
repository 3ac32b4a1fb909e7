import { z } from 'zod';
import { answer, type Facts, remote } from '../../present/answer.ts';
import { count } from '../format.ts';
import { limit } from '../params.ts';
import { defineSshTool, type KnownHost, type Shell } from '../tool.ts';

function row({ spec, source, purpose, tags }: KnownHost, ssh: Shell): Facts {
  const { state, lastError } = ssh.connection(spec);
  return {
    host: spec.name,
    login: `${spec.user}@${spec.address}${spec.port === 22 ? '' : `:${spec.port}`}`,
    via: spec.via && spec.via.length > 0 ? spec.via.map((hop) => hop.name) : undefined,
    known_from: source,
    purpose,
    tags: tags && tags.length > 0 ? tags : undefined,
    connection: state,
    last_error: lastError === undefined ? undefined : remote(lastError),
  };
}

export default defineSshTool({
  name: 'ssh_host_list',
  title: 'List SSH hosts',
  effect: 'read',
  core: true,
  summary:
    'List the hosts that ssh_exec can name as a target: nodes of the cluster, hosts of the settings, the inventory file and ' +
    '~/.ssh/config, with login, jump hosts, purpose and whether a connection is open. Connects to none.',
  search: 'inventory servers machines targets available ssh config known connections',
  input: {
    tag: z.string().min(1).max(128).optional().describe('Only hosts with this tag.'),
    limit: limit.max(200).default(100),
  },

  async run({ tag, limit }, { ssh }) {
    const hosts = await ssh.hosts.list();
    const found = hosts.filter((host) => tag === undefined || host.tags?.includes(tag));
    const shown = found.slice(0, limit);
    return answer(count(found.length, 'host'), {
      hosts: shown.map((host) => row(host, ssh)),
      not_shown: found.length - shown.length || undefined,
      notes: hosts.length > 0 ? undefined : ['None is known: set SSH_HOST, or list hosts in the inventory file.'],
    });
  },
});
