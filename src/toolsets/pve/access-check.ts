import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { granting } from '../../pve/denial.ts';
import { path as at } from '../../pve/path.ts';
import { definePveTool } from '../tool.ts';
import { type Need, needsOf } from './access-needs.ts';

/** Path to privileges; the value says whether they reach below it, which no need here asks about. */
const rightsShape = z.record(z.string(), z.record(z.string(), z.unknown()));
type Rights = z.infer<typeof rightsShape>;

const holds = (rights: Rights, path: string, { anyOf }: Need): boolean =>
  anyOf.some((privilege) => rights[path]?.[privilege] !== undefined);

const PLACES_SHOWN = 5;

/** Where below a path that is not held as a whole the need is met: single guests and storages, or those of a pool. */
const elsewhere = (rights: Rights, need: Need): string[] =>
  Object.keys(rights).filter(
    (path) => (path.startsWith(`${need.path}/`) || path.startsWith('/pool/')) && holds(rights, path, need),
  );

/** Paths with the same privileges in one row. */
function rightsFacts(rights: Rights): Facts[] {
  const byRights = new Map<string, string[]>();
  for (const [path, own] of Object.entries(rights).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const privileges = Object.keys(own).sort().join(' ');
    if (privileges !== '') byRights.set(privileges, [...(byRights.get(privileges) ?? []), path]);
  }
  return [...byRights].map(([privileges, on]) => ({ on, privileges }));
}

interface Missing {
  readonly on: string;
  readonly cure: string;
  readonly privileges: Set<string>;
  readonly tools: Set<string>;
  readonly partly: Set<string>;
}

/** What is missing, in one row for each line that cures it. */
function missingFacts(
  tools: ReadonlyMap<string, readonly Need[]>,
  rights: Rights,
  token: string,
  only?: string,
): Facts[] {
  const rows = new Map<string, Missing>();
  for (const [tool, needs] of tools) {
    for (const need of needs) {
      const on = only ?? need.path;
      if (holds(rights, on, need)) continue;
      const cure = granting(on, need.anyOf[0] ?? '', token);
      const row = rows.get(cure) ?? { on, cure, privileges: new Set(), tools: new Set(), partly: new Set() };
      rows.set(cure, row);
      row.privileges.add(need.anyOf.join(' or '));
      row.tools.add(tool);
      for (const path of only === undefined ? elsewhere(rights, need) : []) row.partly.add(path);
    }
  }
  return [...rows.values()].map(({ on, cure, privileges, tools, partly }) => ({
    privileges: [...privileges].sort().join(', '),
    on,
    held_only_on: partly.size > 0 ? [...partly].slice(0, PLACES_SHOWN) : undefined,
    tools: [...tools].join(' '),
    cure,
  }));
}

/** Needs that a path has to do with: those of its own kind, `/vms` for `/vms/400`. */
const about = (path: string | undefined, needs: readonly Need[]): readonly Need[] =>
  needs.filter((need) => path === undefined || path === need.path || path.startsWith(`${need.path}/`));

export default definePveTool({
  name: 'pve_access_check',
  title: 'Check what the token may do',
  effect: 'read',
  summary:
    'Who this server is to Proxmox VE: its token, the privileges it has and where, and which tools lack one, with the pveum ' +
    'line that adds it. After a denial, or before work on a new host. A path narrows it to one guest, storage or node.',
  search: 'whoami permissions rights acl role 403 forbidden denied user realm api token privilege separation',
  input: {
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]*$/, 'must be a path of the access list, such as /vms/400')
      .max(256)
      .optional()
      .describe('A path of the access list, such as /vms/400 or /storage/local. Default: all that matter.'),
  },

  async run({ path }, { pve, setup, signal }) {
    const version = await pve.get(at`/version`, z.object({ version: z.string() }), {}, { signal });
    const rights = await pve.get(at`/access/permissions`, rightsShape, { path }, { signal });
    const token = setup.token ?? 'USER@REALM!TOKEN';
    const all = [...needsOf(Number.parseInt(version.version, 10))];
    const tools = new Map(all.map(([tool, needs]) => [tool, about(path, needs)] as const));
    const asking = [...tools].filter(([, needs]) => needs.length > 0);
    const lacking = asking.filter(([, needs]) => !needs.every((need) => holds(rights, path ?? need.path, need)));
    const missing = missingFacts(new Map(lacking), rights, token, path);
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
