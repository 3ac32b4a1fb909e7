import { z } from 'zod';
import { answer, remote } from '../../present/answer.ts';
import { modeText } from '../../ssh/files/facts.ts';
import { type Entry, entriesOf, LIST } from '../../ssh/files/list.ts';
import { count, iso } from '../format.ts';
import { asRoot, limit, remotePath, runAs, target } from '../params.ts';
import { defineSshTool } from '../tool.ts';
import { fileFacts } from './file-facts.ts';
import { nameShown } from './file-names.ts';
import { askFile, spotOf } from './file-road.ts';

/** How much of a listing is fetched before it is sorted: some 100,000 entries, and what a guest agent carries. */
const MOST_FETCHED = 8 * 1024 * 1024;
const MOST_OF_AGENT = 1024 * 1024;

const line = ({ name, facts, target: to }: Entry): string =>
  [
    modeText(facts),
    facts.owner,
    facts.size,
    iso(facts.mtime),
    `${nameShown(name)}${to === undefined ? '' : ` -> ${nameShown(to)}`}`,
  ].join(' ');

const orders = {
  name: (a: Entry, b: Entry) => Buffer.compare(a.name, b.name),
  newest: (a: Entry, b: Entry) => b.facts.mtime - a.facts.mtime || Buffer.compare(a.name, b.name),
  largest: (a: Entry, b: Entry) => b.facts.size - a.facts.size || Buffer.compare(a.name, b.name),
} as const;

function notesOf(cut: boolean, stderr: string): readonly string[] | undefined {
  const notes = [
    ...(cut ? ['There is more than was looked at, in no order. Give name, or a folder further below.'] : []),
    ...(/denied/.test(stderr) ? ['Some folders in it may not be looked into by this login.'] : []),
  ];
  return notes.length > 0 ? notes : undefined;
}

export default defineSshTool({
  name: 'ssh_file_list',
  title: 'List a folder',
  effect: 'read',
  summary:
    'List a folder, or tell of one file, hidden names included: mode, owner, size, time of change, name, where a ' +
    'link leads.',
  search: 'ls dir directory find tree stat files exists newest largest size glob',
  input: {
    target: target.optional(),
    path: remotePath,
    name: z.string().min(1).max(255).default('*').describe('Names (*.conf).'),
    depth: z.number().int().min(1).max(20).default(1).describe('Levels below.'),
    sort: z.enum(['name', 'newest', 'largest']).default('name').describe('Order.'),
    limit: limit(500, 200),
    sudo: asRoot.optional(),
    user: runAs.optional(),
  },

  async run({ name, depth, sort, limit: rows, ...input }, context) {
    const spot = await spotOf(input, context);
    const most = 'guest' in spot.place ? MOST_OF_AGENT : MOST_FETCHED;
    const reply = await askFile(spot, LIST, [String(depth), name, String(most)], context);
    const { body } = reply;
    const entries = entriesOf(body).sort(orders[sort]);
    const shown = entries.slice(0, rows);
    const cut = body.length >= most;
    return answer(`${cut ? 'More than ' : ''}${count(entries.length, 'item')} in ${spot.path} on ${spot.place.label}`, {
      ...fileFacts(reply, spot),
      size: undefined,
      entries: remote(shown.map(line).join('\n')),
      not_shown: entries.length - shown.length || undefined,
      notes: notesOf(cut, reply.stderr),
    });
  },
});
