import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, type Fact, type Facts } from '../../present/answer.ts';
import { host } from '../params.ts';
import { defineSshTool, type HostChange, type HostEdit } from '../tool.ts';
import { webhookInShort } from './host-state.ts';

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
    'Set what the inventory file says of a host: name, purpose, tags, default, limits; of a host of that file also how it is ' +
    'reached, and with an address a new one is added. Only what is given changes; "", [] and 0 clear.',
  search: 'configure update rename tag label annotate rate limit inventory add describe client',
  input: {
    host,
    display_name: z.string().max(100).optional().describe('Name for people.'),
    purpose: z.string().max(200).optional().describe('What it is for.'),
    tags: z.array(z.string().min(1).max(50)).max(20).optional().describe('All its tags.'),
    default: z.boolean().optional().describe('Meant where a call names none.'),
    webhook: z.string().max(2000).optional().describe('https URL, kept for later.'),
    commands_per_minute: most(1000, 'At most.'),
    concurrent: most(100, 'Commands at once.'),
    connects_per_minute: most(600, 'At most.'),
    address: z.string().min(1).max(253).optional().describe('Name or IP.'),
    port: z.number().int().min(0).max(65535).optional().describe('SSH port.'),
    user: z.string().max(64).optional().describe('Login.'),
    key_path: z.string().max(4096).optional().describe('Private key file.'),
    via: z.array(z.string().min(1).max(255)).max(10).optional().describe('Jump hosts, first hop first.'),
    host_key_alias: z.string().max(100).optional().describe('Its name in known_hosts.'),
  },
  // It takes hosts, by their names in the inventory; a guest is none.
  touches: () => [],

  async run({ host: name, ...wish }, { ssh }) {
    const edits = editsOf(wish);
    if (edits.length === 0) {
      throw new Failure('invalid-input', 'Nothing was given to change.', 'Give what is to be set; "", [] and 0 clear.');
    }
    const change = await ssh.hosts.change(name, edits);
    return answer(`${name} changed`, {
      host: name,
      file: change.file,
      changed: edits.map(({ path }) => rowOf(path, change)),
      former_default: change.formerDefault,
      notes: wish.webhook ? ['The webhook is kept; this version posts nothing to it yet.'] : undefined,
    });
  },
});

const cleared = (value: unknown): boolean =>
  value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0);

function editsOf(wish: Readonly<Record<string, HostEdit['value']>>): HostEdit[] {
  return Object.entries(MEMBERS).flatMap(([parameter, path]) => {
    const value = wish[parameter];
    return value === undefined ? [] : [{ path, value: cleared(value) ? undefined : value }];
  });
}

function rowOf(path: readonly string[], { before = {}, after }: HostChange): Facts {
  return { what: path.at(-1), before: shown(path, before), after: shown(path, after) };
}

function shown(path: readonly string[], entry: Readonly<Record<string, unknown>>): Fact {
  const value = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], entry);
  if (value === undefined) return '(none)';
  if (path[0] === 'webhook') return webhookInShort(String(value)) ?? '(none)';
  return Array.isArray(value)
    ? value.map(String)
    : typeof value === 'number' || typeof value === 'boolean'
      ? value
      : String(value);
}
