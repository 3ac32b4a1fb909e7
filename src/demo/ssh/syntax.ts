import type { CommandNode, SimpleCommandNode, StatementNode, WordNode } from 'just-bash';

type RedirectionNode = SimpleCommandNode['redirections'][number];
type WordPart = WordNode['parts'][number];

/** Files of a running script that are its own standard streams. */
export const streams = { folder: '/dev/process', in: '/in', out: '/out', err: '/err' } as const;

/** Commands that exist only in rewritten scripts. */
export const internal = {
  /** Takes the place of `exec`, and of a last command that starts a program: the process becomes that program. */
  become: '__become',
  /** Takes the place of a last `eval`: the process goes on with that text. */
  goOn: '__go_on',
  /** Runs a program that is named by its path. */
  byPath: '__by_path',
  /** Starts a program, and gives what it says first. */
  background: '__background',
  /** Gives so many bytes of the standard input. */
  bytes: '__bytes',
  /** Gives one line of the standard input; fails at its end. */
  line: '__line',
  /** Gives the next command line of a shell that stays; fails at the end of its input. */
  next: '__next',
  /** Tells that no line is run any more. */
  over: '__over',
} as const;

export const word = (text: string): WordNode => wordOf({ type: 'Literal', value: text });

export const wordOf = (part: WordPart): WordNode => ({ type: 'Word', parts: [part] });

export const simple = (name: string, ...args: readonly WordNode[]): SimpleCommandNode => ({
  type: 'SimpleCommand',
  assignments: [],
  name: word(name),
  args: [...args],
  redirections: [],
});

/** A statement of one command, or of several joined by `&&`. */
export const statement = (...commands: readonly CommandNode[]): StatementNode => ({
  type: 'Statement',
  operators: commands.slice(1).map(() => '&&'),
  background: false,
  pipelines: commands.map((command) => ({ type: 'Pipeline', negated: false, commands: [command] })),
});

export const group = (body: StatementNode[], redirections: RedirectionNode[] = []): CommandNode => ({
  type: 'Group',
  body,
  redirections,
});

export const redirection = (fd: number, operator: '<' | '>>', file: string): RedirectionNode => ({
  type: 'Redirection',
  fd,
  operator,
  target: word(streams.folder + file),
});

/** The text of a word that is written plainly; `undefined` when it is quoted or expanded. */
export function literal(node: WordNode | null): string | undefined {
  const [part] = node?.parts ?? [];
  return node?.parts.length === 1 && part?.type === 'Literal' ? part.value : undefined;
}

/** The name of the program a word plainly names, without the folders that programs are in. */
export const programName = (node: WordNode | null): string | undefined =>
  literal(node)?.replace(/^(\/usr(\/local)?)?\/s?bin\//, '');
