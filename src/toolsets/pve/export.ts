import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, remote } from '../../present/answer.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { count } from '../format.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { aliases, safeIdentifier, safeName } from './aliases.ts';
import { ansibleInventory } from './ansible.ts';
import { attempt, noted } from './attempt.ts';
import { readConfig } from './config.ts';
import { emptyNotes, guestFilter, matches } from './guest-filter.ts';
import { type Reached, readAddress } from './reached.ts';
import { sshConfig } from './ssh-config.ts';
import { terraform } from './terraform.ts';

/** Each guest is read on its own. */
const MOST_GUESTS = 500;
/** As many as there are connections to the API. */
const AT_ONCE = 4;
const SHORT_TEXT = 6000;
const NOTES_SHOWN = 5;

const files = { terraform: 'terraform.tf', ansible: 'inventory.yml', ssh_config: 'ssh_config' } as const;

interface Written {
  readonly text: string;
  /** How many of the guests are in it. */
  readonly guests: number;
}

async function each<T>(guests: readonly Guest[], context: ToolContext, read: (guest: Guest) => Promise<T>) {
  const results: T[] = [];
  const left = guests.entries();
  const lane = async (): Promise<void> => {
    for (const [i, guest] of left) {
      results[i] = await read(guest);
      context.progress(`${i + 1} of ${count(guests.length, 'guest')} read`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

async function asTerraform(guests: readonly Guest[], context: ToolContext, notes: string[]): Promise<Written> {
  const labels = aliases(guests, safeIdentifier);
  const described = await each(guests, context, async (guest) => {
    const reading = readConfig(context.pve, guest, context.signal);
    // One that is asked for alone has to answer.
    const config = guests.length === 1 ? await reading : await attempt(reading, notes, guest.label);
    return config === undefined ? [] : [{ guest, config, label: labels.get(guest) ?? '' }];
  });
  const known = described.flat();
  return { text: terraform(known), guests: known.length };
}

/** Templates cannot be logged in to. */
async function reached(guests: readonly Guest[], context: ToolContext, notes: string[]): Promise<Reached[]> {
  const alive = guests.filter(({ template }) => !template);
  const nodes = [...new Set(guests.map(({ node }) => node))];
  const names = aliases(alive, safeName, nodes);
  return each(alive, context, async (guest) => {
    const alias = names.get(guest) ?? '';
    return { guest, alias, address: await readAddress(context, guest, notes) };
  });
}

const nobody = (notes: readonly string[]): Failure =>
  new Failure('not-found', 'No guest matches.', notes[0] ?? 'Take a filter away; pve_guest_list shows what there is.');

export default definePveTool({
  name: 'pve_export',
  title: 'Export guests as code',
  effect: 'read',
  summary:
    'Write guests as they are as Terraform (bpg/proxmox, import blocks), Ansible inventory or ssh_config (through ' +
    'their nodes): as text when short, else into a local file.',
  search: 'generate terraform hcl opentofu infrastructure iac yaml playbook hosts proxyjump tf',
  input: {
    format: z.enum(['terraform', 'ansible', 'ssh_config']).describe('What to write.'),
    ...guestFilter,
    user: z
      .string()
      .regex(/^[A-Za-z_][\w.-]{0,31}$/, 'must be a login name')
      .optional()
      .describe('Login in the guests.'),
    to_file: z.boolean().default(false).describe('A file even when short.'),
  },

  async run({ format, user, to_file: toFile, ...filter }, context) {
    const all = await listGuests(context.pve, { signal: context.signal });
    const guests = all.filter((guest) => matches(guest, filter));
    if (guests.length === 0) throw nobody(emptyNotes(all, guests, filter.node));
    if (guests.length > MOST_GUESTS) {
      const text = `${guests.length} guests match, and at most ${MOST_GUESTS} are exported at once.`;
      throw new Failure('invalid-input', text, 'Export them node by node, or by tag or pool.');
    }
    const notes: string[] = [];
    const { text, guests: written } = await write(format, guests, user, context, notes);
    const inFile = toFile || text.length > SHORT_TEXT;
    const file = inFile ? await context.saveFile(files[format], text) : undefined;
    return answer(`${format}: ${count(written, 'guest')}${file === undefined ? '' : `, in ${file}`}`, {
      guests: written,
      left_out: guests.length - written || undefined,
      file,
      lines: text.split('\n').length - 1,
      text: file === undefined ? remote(text) : undefined,
      notes: noted(notes.slice(0, NOTES_SHOWN)),
      notes_not_shown: Math.max(0, notes.length - NOTES_SHOWN) || undefined,
    });
  },
});

async function write(
  format: keyof typeof files,
  guests: readonly Guest[],
  user: string | undefined,
  context: ToolContext,
  notes: string[],
): Promise<Written> {
  if (format === 'terraform') return asTerraform(guests, context, notes);
  const all = await reached(guests, context, notes);
  if (format === 'ansible') return { text: await ansibleInventory(all, user), guests: all.length };
  const known = all.filter(({ address }) => address !== undefined);
  const nodes = [...new Set(known.map(({ guest }) => guest.node))].sort();
  const hosts = nodes.map(async (node) => [node, await context.ssh.hosts.ofNode(node).catch(() => undefined)] as const);
  return { text: sshConfig(known, new Map(await Promise.all(hosts)), user), guests: known.length };
}
