import { z } from 'zod';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import type { ApiMethod } from '../../pve/apidoc.ts';
import { findPath } from '../../pve/apipath.ts';
import type { ApiSchema } from '../../pve/schema.ts';
import { count } from '../format.ts';
import { limit } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { barred, brief, needed, parameterFacts } from './api-words.ts';
import { ranked } from './ranking.ts';

const MOST_BELOW = 80;
const LEVELS_BELOW = 2;

const row = (method: ApiMethod): Facts => ({
  method: method.method,
  path: method.path,
  about: brief(method.description ?? method.name, 110),
  needs: needed(method).length > 0 ? needed(method) : undefined,
  barred: barred(method),
});

function search({ methods, version }: ApiSchema, query: string, limit: number): Answer {
  const found = ranked(methods, query);
  const shown = found.slice(0, limit);
  const best = shown[0] ? `, best ${shown[0].method} ${shown[0].path}` : '';
  return answer(`${count(found.length, 'call')} of Proxmox VE ${version} fit "${query}"${best}`, {
    calls: shown.map(row),
    next: shown.length > 0 ? 'Give path to see all parameters of a call.' : 'Try other words, or path /nodes/{node}.',
  });
}

/** The calls of one path, or of none but of paths that begin with it. */
function describe(schema: ApiSchema, text: string, query: string | undefined): Answer {
  const path = text.replace(/(.)\/$/, '$1');
  const paths = [...new Set(schema.methods.map((one) => one.path))];
  const deep = (one: string) => one.split('/').filter(Boolean).length;
  const under = (one: string) =>
    paths.filter((other) => other.startsWith(`${one === '/' ? '' : one}/`) && deep(other) <= deep(one) + LEVELS_BELOW);
  const known = paths.includes(path) || under(path).length > 0 ? path : findPath(schema, path).template;
  const below = under(known);
  const methods = schema.methods.filter((one) => one.path === known);
  const words = query?.toLowerCase().split(/\W+/).filter(Boolean);
  const wanted = (name: string, about = ''): boolean =>
    words === undefined || words.some((word) => `${name} ${about}`.toLowerCase().includes(word));
  const calls = methods.map((method) => ({
    method: method.method,
    about: brief(method.description ?? method.name, 200),
    barred: barred(method),
    parameters: Object.entries(method.parameters)
      .filter(([name, rule]) => !known.includes(`{${name}}`) && (!rule.optional || wanted(name, rule.description)))
      .map(([name, rule]) => parameterFacts(name, rule)),
  }));
  const verbs = methods.length > 0 ? methods.map(({ method }) => method).join(', ') : 'no call of its own';
  return answer(`${known}: ${verbs}${below.length > 0 ? `, ${count(below.length, 'path')} below` : ''}`, {
    path: known,
    calls,
    below: below.length > 0 ? below.slice(0, MOST_BELOW) : undefined,
  });
}

export default definePveTool({
  name: 'pve_api_search',
  title: 'Search the Proxmox VE API',
  effect: 'read',
  core: true,
  summary:
    'Find calls for pve_api_get and pve_api_call by words: what no other tool does (firewall, HA, users, ACLs, ' +
    'pools, SDN, replication, node network, …). With path: its calls and all parameters.',
  search: 'endpoint documentation schema reference rest raw swagger how permission certificate ceph apt role token',
  input: {
    query: z.string().min(1).max(200).optional().describe('Words; with path, of its parameters.'),
    path: z.string().min(1).max(500).optional().describe('Such as /nodes/{node}/dns, concrete or not.'),
    limit: limit(50, 12),
  },

  async run({ query, path, limit }, { schema }) {
    if (path === undefined && query !== undefined) return search(await schema(), query, limit);
    return describe(await schema(), path ?? '/', query);
  },
});
