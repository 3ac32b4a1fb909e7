import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { path as at } from '../../pve/path.ts';
import { definePveTool } from '../tool.ts';
import { type Gap, gapsIn, holds, type Rights, rightsShape } from './access-gaps.ts';
import { type Need, needsOf } from './access-needs.ts';

const PLACES_SHOWN = 5;

/** Paths with the same privileges in one row. */
function rightsFacts(rights: Rights): Facts[] {
  const byRights = new Map<string, string[]>();
  for (const [path, own] of Object.entries(rights).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const privileges = Object.keys(own).sort().join(' ');
    if (privileges !== '') byRights.set(privileges, [...(byRights.get(privileges) ?? []), path]);
  }
  return [...byRights].map(([privileges, on]) => ({ on, privileges }));
}

/** What is missing, in one row for each line that cures it. */
const missingFacts = (gaps: readonly Gap[]): Facts[] =>
  gaps.map(({ on, cure, privileges, tools, partly }) => ({
    privileges: privileges.join(', '),
    on,
    held_only_on: partly.length > 0 ? partly.slice(0, PLACES_SHOWN) : undefined,
    tools: tools.join(' '),
    cure,
  }));

/** Needs that a path has to do with: those of its own kind, `/vms` for `/vms/400`. */
const about = (path: string | undefined, needs: readonly Need[]): readonly Need[] =>
  needs.filter((need) => path === undefined || path === need.path || path.startsWith(`${need.path}/`));

export default definePveTool({
  name: 'pve_access_check',
  title: 'Check what the token may do',
  effect: 'read',
  summary:
    'What the API token may do and where, and which tools lack a privilege, with the pveum line that adds it. For ' +
    'use after a denial.',
  search: 'whoami permissions rights acl role 403 forbidden denied user realm api token privilege separation',
  input: {
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]*$/, 'must be a path of the access list, such as /vms/400')
      .max(256)
      .optional()
      .describe('Only there: /vms/400, /storage/local.'),
  },

  async run({ path }, { pve, setup, signal }) {
    const version = await pve.get(at`/version`, z.object({ version: z.string() }), {}, { signal });
    const rights = await pve.get(at`/access/permissions`, rightsShape, { path }, { signal });
    const token = setup.token ?? 'USER@REALM!TOKEN';
    const all = [...needsOf(Number.parseInt(version.version, 10))];
    const tools = new Map(all.map(([tool, needs]) => [tool, about(path, needs)] as const));
    const asking = [...tools].filter(([, needs]) => needs.length > 0);
    const lacking = asking.filter(([, needs]) => !needs.every((need) => holds(rights, path ?? need.path, need)));
    const missing = missingFacts(gapsIn(new Map(lacking), rights, token, path));
    const where = path === undefined ? '' : ` on ${path}`;
    const verdict =
      lacking.length === 0 ? 'nothing is missing' : `${lacking.length} of ${asking.length} tools lack a privilege`;
    return answer(`${token} on Proxmox VE ${version.version}${where}: ${verdict}`, {
      token: setup.token,
      user: setup.token?.split('!')[0],
      version: version.version,
      may: rightsFacts(rights),
      missing: missing.length > 0 ? missing : undefined,
      never_by_a_token:
        'Whatever its privileges: bind mounts, LXC features but nesting, device passthrough, args, hookscripts and unlocking. ' +
        'They go over SSH as root.',
    });
  },
});
