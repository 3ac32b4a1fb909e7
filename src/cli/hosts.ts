import { hostsOf, pvesOf } from '../clients.ts';
import { asFailure } from '../failure.ts';
import { asciiJson } from '../log/json.ts';
import { visibleLine } from '../present/visible.ts';
import type { KnownHost } from '../toolsets/tool.ts';
import { columns } from './columns.ts';
import { type Flags, ground, loadHere } from './surroundings.ts';
import { say, warn } from './terminal.ts';

const API_PATIENCE_MS = 5_000;

/** Lists every host that a target can name. */
export async function hosts(flags: Flags, json: boolean): Promise<void> {
  const loaded = loadHere(flags);
  const pves = pvesOf(loaded, () => ({ timeoutMs: API_PATIENCE_MS, readOnly: true }));
  try {
    const inventory = hostsOf(loaded, pves, ground());
    const rows = (await inventory.list()).map(rowOf);
    for (const { cause, cure } of [...loaded.problems, ...inventory.problems()]) warn(`${cause} ${cure}`);
    for (const { name, why } of await inventory.unusable()) warn(`${name} cannot be used. ${why}`);
    if (json) return say(asciiJson(rows, 2));
    if (rows.length === 0) return say('No host is known. Set SSH_HOST, or describe hosts in ~/.ssh/config.');
    for (const line of table(rows)) say(line);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  } finally {
    await Promise.all(pves.map((pve) => pve.close()));
  }
}

type Row = Readonly<Record<'name' | 'login' | 'via' | 'known_from' | 'purpose', string>>;

const rowOf = ({ spec, source, displayName, purpose, tags, usual }: KnownHost): Row => ({
  name: spec.name,
  login: `${spec.user}@${spec.address}${spec.port === 22 ? '' : `:${spec.port}`}`,
  via: (spec.via ?? []).map(({ name }) => name).join(', '),
  known_from: source,
  purpose: [usual ? '(default)' : [], displayName ?? [], purpose ?? [], (tags ?? []).map((tag) => `#${tag}`)]
    .flat(2)
    .join(' '),
});

const heads = ['name', 'login', 'via', 'known_from', 'purpose'] as const;

const table = (rows: readonly Row[]): string[] =>
  columns([
    heads.map((head) => head.replace('_', ' ').toUpperCase()),
    ...rows.map((row) => heads.map((head) => visibleLine(row[head]))),
  ]);
