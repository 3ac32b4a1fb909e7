import type { CommandRules } from '../tool.ts';
import { matches, type Pattern, patternOf, patternSet } from './pattern.ts';
import { type PlainCommand, plainCommands } from './plain.ts';
import { programOf, readings, shells } from './readings.ts';
import { commandsIn, withoutRedirections } from './words.ts';

/*
 * Guard-rails, not a sandbox. What is denied and asked about is looked for wherever a command might stand, so that too much
 * is found rather than too little; what is allowed has to be understood to its last character.
 */

/** Commands as a tool is given them. */
export interface Given {
  readonly script: string;
  readonly stdin?: string;
  /** Something beside the script decides what it does: an environment, or a program that reads it. */
  readonly opaque?: boolean;
}

/** What the rules say; `command` and `pattern` say why. `none`: they say nothing, so the mode decides. */
export type Ruling =
  | { readonly verdict: 'deny' | 'ask'; readonly command: string; readonly pattern?: string }
  | { readonly verdict: 'allow' | 'none' };

/** Deny wins over ask, ask over allow. With a list of what is allowed, the rest is asked about or denied. */
export function ruleOn(given: Given, rules: CommandRules): Ruling {
  const found = [...everyCommand(given)];
  for (const verdict of ['deny', 'ask'] as const) {
    const meant = patternSet(rules[verdict] ?? []);
    for (const command of found) {
      const pattern = meant(command);
      if (pattern !== undefined) return { verdict, command: command.join(' '), pattern };
    }
  }
  const otherwise = rules.otherwise ?? (rules.allow ? 'ask' : undefined);
  if (rules.allow === undefined && otherwise === undefined) return { verdict: 'none' };
  const rest = notAllowed(given, (rules.allow ?? []).map(patternOf));
  if (rest === undefined) return { verdict: 'allow' };
  return { verdict: otherwise ?? 'ask', command: rest };
}

/** How far a command line is read, and how many commands may begin in it. */
const WIDE = { farthest: 200, most: 400 };
/** Programs that run what they read. */
const readers =
  /^(xargs|parallel|at|batch|ssh|su|sudo|doas|runuser|pct|chroot|nsenter|lxc-attach|docker|podman|eval|\.|source)$/;

/** Every command that the text might run, its redirections taken off. */
function* everyCommand({ script, stdin }: Given): Generator<readonly string[]> {
  let reads = false;
  for (const words of commandsIn(script)) {
    for (const command of readings(withoutRedirections(words), WIDE)) {
      const program = programOf(command);
      reads ||= shells.test(program) || readers.test(program);
      yield command;
    }
  }
  if (stdin !== undefined && reads) yield* everyCommand({ script: stdin });
}

/** The command that no pattern allows, or what cannot be told; undefined when all is allowed. */
function notAllowed({ script, opaque }: Given, patterns: readonly Pattern[], depth = 0): string | undefined {
  const commands = opaque || depth > DEEPEST ? undefined : plainCommands(script);
  if (commands === undefined || commands.length === 0) return script.trim();
  for (const command of commands) {
    const rest = refused(command, patterns, depth);
    if (rest !== undefined) return rest;
  }
  return undefined;
}

/** Shells and wrappers within one another. */
const DEEPEST = 8;
/** Where programs are that are what their names say. */
const usualFolder = /^(\/usr(\/local)?)?\/s?bin\/[^/]+$/;

/** What runs the rest of its words, and the options of its own that are known to be no more than that. */
const wrappers: Readonly<Record<string, RegExp>> = {
  sudo: /^( -n| -E| -H| -u [\w.-]+)*( --)? /,
  doas: /^( -n| -u [\w.-]+)* /,
  nice: /^( -n -?\d+| -\d+)? /,
  ionice: /^( -c ?\d| -n ?\d)* /,
  timeout: /^( -k [\d.]+[smhd]?| -s \w+| --foreground)* [\d.]+[smhd]? /,
  stdbuf: /^( -[ioe][0L]\w*)* /,
  nohup: /^ /,
  setsid: /^( -w)? /,
  command: /^ /,
};

/** The command itself, or the one within it, that is not allowed. */
function refused(command: PlainCommand, patterns: readonly Pattern[], depth: number): string | undefined {
  const [first, ...args] = command;
  const texts = command.map(({ text }) => text);
  const shown = texts.join(' ');
  if (!first?.literal || (first.text.includes('/') && !usualFolder.test(first.text))) return shown;
  const program = programOf(texts);
  const literal = (i: number): boolean => command[i]?.literal === true;
  if (shells.test(program)) {
    const [option, script] = args;
    if (option?.literal && /^-[a-z]*c$/.test(option.text) && script?.literal)
      return notAllowed({ script: script.text }, patterns, depth + 1);
    // Without a file of its own a shell runs what it reads.
    if (!option?.literal || option.text.startsWith('-')) return shown;
  }
  const inner = wrapped(program, args);
  if (inner) return depth < DEEPEST ? refused(inner, patterns, depth + 1) : shown;
  if (program === 'eval' || !patterns.some((pattern) => matches(pattern, texts, literal))) return shown;
  const within = program === 'find' ? readings(texts, WIDE).slice(1) : [];
  return within.find((words) => !patterns.some((pattern) => matches(pattern, words)))?.join(' ');
}

/** The words behind a wrapper and its options; undefined when it is none, or has others. */
function wrapped(program: string, args: PlainCommand): PlainCommand | undefined {
  const own = Object.hasOwn(wrappers, program) ? wrappers[program] : undefined;
  if (own === undefined || args.length === 0) return undefined;
  const words = args.map(({ text, literal }) => (literal && /^\S+$/.test(text) ? text : '\u0000'));
  const [taken = ''] = own.exec(` ${words.join(' ')}`) ?? [];
  const rest = args.slice(taken.split(' ').length - 2);
  return taken === '' || !/^[^-=][^=]*$/.test(rest[0]?.text ?? '') ? undefined : rest;
}
