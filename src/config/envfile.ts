import { parse } from 'dotenv';
import { closest, distance } from 'fastest-levenshtein';
import type { Surroundings } from './load.ts';
import { ALL, type Problem, reason } from './problem.ts';
import { keys, settingOf } from './settings.ts';

/** What a settings file says: each value with the line it stands on. */
export interface EnvFile {
  /** The file that was read; undefined when there is none or it was refused. */
  readonly path?: string;
  readonly values: ReadonlyMap<string, { readonly text: string; readonly line: number }>;
  readonly problems: readonly Problem[];
  /** Those of names that are no setting, by these: one may be what a cluster's token is kept under. */
  readonly unknown: ReadonlyMap<string, Problem>;
}

const nothing = (...problems: Problem[]): EnvFile => ({ values: new Map(), problems, unknown: new Map() });

/** Reads a settings file. It is refused, and nothing of it used, when anybody else can read or own it. */
export function readEnvFile(path: string, required: boolean, around: Surroundings): EnvFile {
  let text: string;
  try {
    const refusal = refuse(path, around);
    if (refusal) return nothing(refusal);
    text = around.readFile(path);
  } catch (error) {
    if (!required && error instanceof Error && 'code' in error && error.code === 'ENOENT') return nothing();
    return nothing({
      cause: `The settings file ${path} cannot be used: ${reason(error)}.`,
      cure: 'Name another one with --settings-file, or make it readable for this user alone (chmod 600).',
      blocks: ALL,
    });
  }
  return { path, ...readEnvText(path, text) };
}

function refuse(path: string, around: Surroundings): Problem | undefined {
  const { mode, uid } = around.stat(path);
  if (around.uid === undefined) return undefined;
  if (uid !== around.uid) {
    return {
      cause: `The settings file ${path} belongs to another user (uid ${uid}), so it is not used.`,
      cure: `Run: chown ${around.uid} ${quoted(path)} && chmod 600 ${quoted(path)}`,
      blocks: ALL,
    };
  }
  if ((mode & 0o077) === 0) return undefined;
  return {
    cause: `The settings file ${path} is open to other users (mode ${(mode & 0o777).toString(8)}), so it is not used.`,
    cure: `Run: chmod 600 ${quoted(path)}`,
    blocks: ALL,
  };
}

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

function readEnvText(path: string, text: string): Pick<EnvFile, 'values' | 'problems' | 'unknown'> {
  const lines = text.split(/\r\n?|\n/);
  const set = lastLines(lines);
  const values = new Map(
    Object.entries(parse(text)).map(([name, value]) => [name, { text: value, line: set.get(name) ?? 1 }]),
  );
  const known = keys.map((key) => settingOf(key).env);
  const where = (line: number): string => `${path}:${line}`;
  const looksOurs = (name: string): boolean => !known.includes(name) && /^(PROXMOX|SSH|MCP)_/.test(name);
  const unknown = new Map(
    [...values].flatMap(([name, { line }]) => (looksOurs(name) ? [[name, unknownName(name, where(line), known)]] : [])),
  );
  const problems = [...values].flatMap(([name, { line }]) =>
    known.includes(name) ? cutAtHash(name, where(line), lines[line - 1] ?? '') : (unknown.get(name) ?? []),
  );
  return { values, problems, unknown };
}

/** The last line that sets each name, since the last one counts; from 1. */
function lastLines(lines: readonly string[]): ReadonlyMap<string, number> {
  const named = lines.map((line) => /^\s*(?:export\s+)?([\w.-]+)\s*[=:]/.exec(line.replace(/^\uFEFF/, ''))?.[1]);
  return new Map(named.flatMap((name, i) => (name === undefined ? [] : [[name, i + 1]])));
}

/** A password such as ab#cd silently becomes ab when it is not in quotes. */
function cutAtHash(name: string, where: string, line: string): Problem[] {
  if (!/^[^=:]*[=:]\s*[^\s'"`#][^#]*(?<=\S)#/.test(line)) return [];
  return [
    {
      cause: `${name} (${where}) is cut at the # in it, because the value is not in quotes.`,
      cure: "Put the value in single quotes ('…'), or a space before the # if a comment begins there.",
    },
  ];
}

function unknownName(name: string, where: string, known: readonly string[]): Problem {
  const near = closest(name, known);
  const cure = distance(name, near) <= 6 ? `Did you mean ${near}?` : 'The names are listed in .env.example.';
  return { cause: `${name} (${where}) is not a setting, so it has no effect.`, cure };
}
