import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { findPath } from '../../pve/apipath.ts';
import { checkParams, methodAt } from '../../pve/check.ts';
import { count } from '../format.ts';
import { apiParams, apiPath, limit } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { dataFacts } from './api-data.ts';

function kindOf(data: unknown, { rows_in_all: rows }: Facts): string {
  if (typeof rows === 'number') return count(rows, 'row');
  if (data === null || data === undefined) return 'nothing';
  return typeof data === 'object' ? 'one object' : 'one value';
}

export default definePveTool({
  name: 'pve_api_get',
  title: 'Read anything from the Proxmox VE API',
  effect: 'read',
  core: true,
  summary:
    'GET any path of the Proxmox VE API, for what no other tool reads; pve_api_search finds paths. Keep answers ' +
    'small with fields, match and limit.',
  search: 'raw rest endpoint request pvesh firewall ha users acl pools sdn replication ceph apt hardware certificates',
  input: {
    path: apiPath,
    params: apiParams.optional(),
    fields: z.array(z.string().min(1).max(100)).min(1).max(50).optional().describe('Only these of each row.'),
    match: z.string().min(1).max(200).optional().describe('Only rows with this text.'),
    limit: limit(500, 50),
  },

  async run({ path, params = {}, fields, match, limit }, { pve, schema, signal }) {
    const found = findPath(await schema(), path);
    const sent = checkParams(found, methodAt(found, 'GET'), params);
    const data = await pve.get(found.path, z.unknown(), sent, { signal });
    const facts = dataFacts(found.path, data ?? null, { fields, match, limit });
    return answer(`GET ${found.path}: ${kindOf(data, facts)}`, facts);
  },
});
