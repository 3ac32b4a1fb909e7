import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { askedUrl, urlInShort } from '../../hooks/address.ts';
import { answer, type Fact, type Facts } from '../../present/answer.ts';
import { host } from '../params.ts';
import { defineSshTool, type HostChange, type HostEdit, type Setup } from '../tool.ts';

/** Each parameter with the member of the inventory file that it sets. */
const MEMBERS = {
  display_name: ['displayName'],
  purpose: ['purpose'],
  tags: ['tags'],
  default: ['default'],
  webhook: ['webhook'],
  commands_per_minute: ['limits', 'commandsPerMinute'],
  concurrent: ['limits', 'concurrent'],
  connects_per_minute: ['limits', 'connectsPerMinute'],
  address: ['address'],
  port: ['port'],
  user: ['user'],
  key_path: ['keyPath'],
  via: ['via'],
  host_key_alias: ['hostKeyAlias'],
} as const;

const most = (number: number, says: string) => z.number().int().min(0).max(number).optional().describe(says);

export default defineSshTool({
  name: 'ssh_host_set',
  title: 'Change what is noted of an SSH host',
  effect: 'change',
  summary:
    'Set what the inventory file says of a host; of a host of that file also how it is reached. With an address a ' +
    'new one is added. Only what is given changes; "", [] and 0 clear.',
  search: 'configure update rename tag label annotate rate limit inventory add describe client',
  input: {
    host,
    display_name: z.string().optional().describe('Name for people.'),
    purpose: z.string().optional().describe('What it is for.'),
    tags: z.array(z.string()).optional().describe('All its tags.'),
    default: z.boolean().optional().describe('Meant where a call names none.'),
    webhook: z.string().optional().describe('https URL told of events, after a human said yes.'),
    commands_per_minute: most(1000, 'Limit.'),
    concurrent: most(100, 'Limit of commands at once.'),
    connects_per_minute: most(600, 'Limit.'),
    address: z.string().min(1).optional().describe('Name or IP.'),
    port: most(65_535, 'SSH port.'),
    user: z.string().optional().describe('Login.'),
    key_path: z.string().optional().describe('Private key file.'),
    via: z.array(z.string()).optional().describe('Jump hosts, in order.'),
    host_key_alias: z.string().optional().describe('Its name in known_hosts.'),
  },
  // It takes hosts, by their names in the inventory; a guest is none.
  touches: () => [],
  alarm: ({ host: name, webhook }, context) => {
    refuseWebhook(webhook, context?.setup.mode);
    if (webhook === undefined) return undefined;
    const who = webhook === '' ? 'nobody any more' : urlInShort(webhook);
    return `This decides who is told what is done on ${name} by its webhook: ${who}.`;
  },

  async run({ host: name, ...wish }, { ssh, setup }) {
    refuseWebhook(wish.webhook, setup.mode);
    const edits = editsOf(wish);
    if (edits.length === 0) {
      throw new Failure('invalid-input', 'Nothing was given to change.', 'Give what is to be set; "", [] and 0 clear.');
    }
    const change = await ssh.hosts.change(name, edits);
    return answer(`${name} changed`, {
      host: name,
      file: change.file,
      changed: edits.map((edit) => rowOf(edit, change)),
      former_default: change.formerDefault,
      notes: wish.webhook ? ['Events are posted there once the operator has set MCP_WEBHOOK_SECRET.'] : undefined,
    });
  },
});

/** A model may neither listen in on what is done, nor keep others from it, nor reach services of this machine. */
function refuseWebhook(webhook: string | undefined, mode: Setup['mode'] | undefined): void {
  if (webhook === undefined) return;
  if (mode === 'trusted') {
    const cure = 'The operator can write "webhook" into the entry of the host in the inventory file.';
    throw new Failure('refused', 'A webhook is for a human to decide, and in trusted mode none is asked.', cure);
  }
  const url = webhook === '' ? undefined : askedUrl(webhook);
  if (url && 'wrong' in url) throw new Failure('invalid-input', `The webhook must ${url.wrong}.`, 'Give another URL.');
}

const cleared = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);

function editsOf(wish: Readonly<Record<string, HostEdit['value']>>): (HostEdit & { readonly parameter: string })[] {
  return Object.entries(MEMBERS).flatMap(([parameter, path]) => {
    const value = wish[parameter];
    return value === undefined ? [] : [{ parameter, path, value: cleared(value) ? undefined : value }];
  });
}

const rowOf = ({ parameter, path }: HostEdit & { readonly parameter: string }, change: HostChange): Facts => ({
  what: parameter,
  before: shown(path, change.before ?? {}),
  after: shown(path, change.after),
});

function shown(path: readonly string[], entry: Readonly<Record<string, unknown>>): Fact {
  const value = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], entry);
  if (value === undefined) return '(none)';
  if (path[0] === 'webhook') return urlInShort(String(value));
  return Array.isArray(value)
    ? value.map(String)
    : typeof value === 'number' || typeof value === 'boolean'
      ? value
      : String(value);
}
