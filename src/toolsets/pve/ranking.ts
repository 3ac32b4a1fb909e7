import type { ApiMethod } from '../../pve/apidoc.ts';

/** Words that people use, and what the API calls the same. */
const meant: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    container: ['lxc'],
    containers: ['lxc'],
    ct: ['lxc'],
    vm: ['qemu'],
    vms: ['qemu'],
    virtual: ['qemu'],
    machine: ['qemu'],
    guest: ['lxc', 'qemu'],
    backup: ['vzdump', 'backup'],
    update: ['apt', 'update'],
    updates: ['apt', 'update'],
    upgrade: ['apt'],
    package: ['apt'],
    permission: ['acl', 'permissions'],
    permissions: ['acl', 'permissions'],
    disk: ['disks', 'disk', 'volume'],
    volume: ['volume', 'content'],
    certificate: ['certificates', 'acme'],
    image: ['content', 'iso'],
    log: ['log', 'syslog', 'journal'],
    group: ['groups', 'group'],
  }),
);

/** What the words of an intention make of the method: `delete the pool` is about DELETE. */
const verbs: ReadonlyMap<string, ApiMethod['method']> = new Map(
  Object.entries({
    list: 'GET',
    show: 'GET',
    get: 'GET',
    read: 'GET',
    status: 'GET',
    create: 'POST',
    add: 'POST',
    new: 'POST',
    make: 'POST',
    start: 'POST',
    stop: 'POST',
    run: 'POST',
    change: 'PUT',
    set: 'PUT',
    edit: 'PUT',
    modify: 'PUT',
    configure: 'PUT',
    delete: 'DELETE',
    remove: 'DELETE',
    destroy: 'DELETE',
  } as const),
);

const idle = new Set([
  'the',
  'a',
  'an',
  'of',
  'for',
  'to',
  'in',
  'on',
  'all',
  'and',
  'with',
  'by',
  'from',
  'how',
  'is',
]);

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

interface Field {
  readonly words: ReadonlySet<string>;
  readonly weight: number;
}

const fieldsOf = ({ path, name = '', description = '', parameters }: ApiMethod): Field[] => [
  { words: new Set(wordsOf(path.replace(/\{[^}]*\}/g, ''))), weight: 6 },
  { words: new Set(wordsOf(path.split('/').findLast((part) => !part.startsWith('{')) ?? '')), weight: 3 },
  { words: new Set(wordsOf(name)), weight: 4 },
  { words: new Set(wordsOf(description)), weight: 3 },
  { words: new Set(wordsOf(Object.keys(parameters).join(' '))), weight: 1.5 },
  { words: new Set(Object.values(parameters).flatMap((rule) => rule.enum ?? [])), weight: 0.7 },
];

const stem = (word: string): string => (word.length > 3 ? word.replace(/(?:e?s|ing)$/, '') : word);

/** How well a word stands in a field: 1 as it is, less by its stem, least as the beginning of another word. */
function standing(word: string, { words }: Field): number {
  if (words.has(word)) return 1;
  for (const one of words) if (stem(one) === stem(word)) return 0.8;
  if (word.length > 2) for (const one of words) if (one.startsWith(word)) return 0.5;
  return 0;
}

/** What fits far less than the best is no answer. */
const WORTH_SHOWING = 0.08;

/** The methods that fit the words, best first: by path, name, description and parameters, rare words counting more. */
export function ranked(methods: readonly ApiMethod[], query: string): ApiMethod[] {
  const words = [...new Set(wordsOf(query))].filter((word) => !idle.has(word));
  const wishes = words.map((word) => ({ word, all: [word, ...(meant.get(word) ?? [])], verb: verbs.get(word) }));
  const described = methods.map((method) => ({ method, fields: fieldsOf(method) }));
  const hits = described.map(({ fields }) =>
    wishes.map(({ all }) =>
      fields.reduce((sum, field) => sum + field.weight * Math.max(...all.map((word) => standing(word, field))), 0),
    ),
  );
  const rarity = wishes.map((_, i) =>
    Math.log(1 + methods.length / (1 + hits.filter((row) => (row[i] ?? 0) > 0).length)),
  );
  const scored = described.map(({ method }, at) => {
    const row = hits[at] ?? [];
    const found = row.filter((hit, i) => hit > 0 || wishes[i]?.verb === method.method).length;
    const verb = wishes.some((wish) => wish.verb === method.method) ? 1.25 : 1;
    const score = row.reduce((sum, hit, i) => sum + hit * (rarity[i] ?? 0), 0);
    const depth = method.path.split('/').length;
    return { method, score: score * verb * (found / Math.max(1, words.length)) ** 2 - depth / 100 };
  });
  const best = Math.max(...scored.map(({ score }) => score));
  return scored
    .filter(({ score }) => score > Math.max(0, best * WORTH_SHOWING))
    .sort((a, b) => b.score - a.score)
    .map(({ method }) => method);
}
