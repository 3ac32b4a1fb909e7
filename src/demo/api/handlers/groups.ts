import { type Call, forBoth, type Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';

const pool = { poolid: 'lab', comment: 'Things to try' };

/** The only pool, which is empty; with `poolid` its members are told too (recording c-pool-get). */
function pools(call: Call): unknown[] {
  const wanted = call.text('poolid', pool.poolid);
  if (wanted !== pool.poolid) throw new ApiError(500, `pool '${wanted}' does not exist\n`);
  if (!call.who.may(`/pool/${pool.poolid}`, 'Pool.Audit')) return [];
  return [call.has('poolid') ? { ...pool, members: [] } : pool];
}

/** The proxy lets in the web, and nothing else (recording c-fwrules). */
const web = [80, 443].map((port, pos) => ({
  action: 'ACCEPT',
  digest: '82ff54375d64432ed03ad8e1833e6691f1a3af58',
  dport: String(port),
  enable: 1,
  pos,
  proto: 'tcp',
  type: 'in',
}));

export const groupHandlers: Handlers = {
  'GET /pools': pools,
  'GET /cluster/ha/resources': () => [],
  'GET /cluster/firewall/rules': () => [],
  ...forBoth({
    'GET /nodes/{node}/K/{vmid}/firewall/rules': (call, kind) => (call.guest(kind).vmid === 102 ? web : []),
  }),
};
