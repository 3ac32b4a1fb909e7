import type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode } from 'just-bash';

/** Files of a running script that are its own standard streams. */
export const streams = { folder: '/dev/process', in: '/in', out: '/out', err: '/err' } as const;

/** The command that takes the place of `exec`, and of a last command that may run for long. */
export const tailCommand = '__tail';

/**
 * The interpreter gives a script's output when it is over, and takes its input before it starts. This rewrites a script
 * so that each statement writes to its streams when it ends, that the last one, when it starts a program, hands over to it
 * as `exec` does, and that what may read input waits for its end, which has not come while `waiting`.
 */
export function streamed(script: ScriptNode, waiting: boolean): ScriptNode {
  if (script.statements.some(movesStreams)) return script;
  const statements = script.statements.map((statement, i) =>
    i === script.statements.length - 1 ? withTail(statement) : statement,
  );
  const reader = waiting ? statements.findIndex((statement) => reads(statement)) : -1;
  if (reader === -1) return { ...script, statements: statements.map(redirected) };
  const rest = group(statements.slice(reader).map(redirected), [redirection(0, '<', streams.in)]);
  return { ...script, statements: [...statements.slice(0, reader).map(redirected), rest] };
}

const word = (text: string): WordNode => ({ type: 'Word', parts: [{ type: 'Literal', value: text }] });

const redirection = (fd: number, operator: '<' | '>>', file: string) =>
  ({ type: 'Redirection', fd, operator, target: word(streams.folder + file) }) as const;

const statementOf = (command: CommandNode): StatementNode => ({
  type: 'Statement',
  operators: [],
  background: false,
  pipelines: [{ type: 'Pipeline', negated: false, commands: [command] }],
});

const group = (body: StatementNode[], redirections: ReturnType<typeof redirection>[]): StatementNode =>
  statementOf({ type: 'Group', body, redirections });

/** The statement with its output sent on when it ends; in a loop or a condition, each statement inside. */
function redirected(plain: StatementNode): StatementNode {
  const statement = isExec(plain) ? withTail(plain) : plain;
  const inside = statement.background || statement.deferredError ? undefined : bodies(statement);
  if (inside) return inside;
  return group([statement], [redirection(1, '>>', streams.out), redirection(2, '>>', streams.err)]);
}

function bodies(statement: StatementNode): StatementNode | undefined {
  const [pipeline] = statement.pipelines;
  const [command] = pipeline?.commands ?? [];
  if (!pipeline || !command || statement.pipelines.length > 1 || pipeline.commands.length > 1) return undefined;
  if (command.type === 'SimpleCommand' || command.redirections.length > 0) return undefined;
  const deeper = descend(command);
  return deeper && { ...statement, pipelines: [{ ...pipeline, commands: [deeper] }] };
}

function descend(command: CommandNode): CommandNode | undefined {
  switch (command.type) {
    case 'Group':
    case 'For':
    case 'CStyleFor':
      return { ...command, body: command.body.map(redirected) };
    case 'While':
    case 'Until':
      return { ...command, condition: command.condition.map(redirected), body: command.body.map(redirected) };
    case 'If':
      return {
        ...command,
        clauses: command.clauses.map(({ condition, body }) => ({
          condition: condition.map(redirected),
          body: body.map(redirected),
        })),
        elseBody: command.elseBody?.map(redirected) ?? null,
      };
    default:
      return undefined;
  }
}

/** The literal text of a word, `undefined` when it is expanded or quoted. */
const literal = (node: WordNode | null): string | undefined => {
  const [part] = node?.parts ?? [];
  return node?.parts.length === 1 && part?.type === 'Literal' ? part.value : undefined;
};

const only = (statement: StatementNode): SimpleCommandNode | undefined => {
  const command = statement.pipelines.at(-1)?.commands;
  return command?.length === 1 && command[0]?.type === 'SimpleCommand' ? command[0] : undefined;
};

const isExec = (statement: StatementNode): boolean => literal(only(statement)?.name ?? null) === 'exec';

/** `exec >file`: from here on the output goes elsewhere, so it cannot be sent on by the statement. */
const movesStreams = (statement: StatementNode): boolean => isExec(statement) && only(statement)?.args.length === 0;

/** Programs that run other programs, or that write over a longer time. */
const launchers = /^(env|sudo|(ba|da|z)?sh|setsid|nohup|timeout|nice|ionice|stdbuf|pct|sleep|journalctl|docker)$/;

/** Replaces a last command that starts a program by a hand-over to it. */
function withTail(statement: StatementNode): StatementNode {
  const last = statement.pipelines.at(-1);
  const command = only(statement);
  if (!last || !command?.name || statement.background || last.negated || last.timed) return statement;
  const exec = isExec(statement);
  const [name, ...args] = exec ? command.args : [command.name, ...command.args];
  if (!name || command.redirections.length > 0 || !(exec || launches(name))) return statement;
  const tail: CommandNode = { ...command, name: word(tailCommand), args: [name, ...args] };
  const handOver: CommandNode = exec ? { type: 'Group', body: [statementOf(tail), leave], redirections: [] } : tail;
  return { ...statement, pipelines: [...statement.pipelines.slice(0, -1), { ...last, commands: [handOver] }] };
}

const leave = statementOf({ type: 'SimpleCommand', assignments: [], name: word('exit'), args: [], redirections: [] });

function launches(name: WordNode): boolean {
  const text = literal(name);
  if (text !== undefined) return launchers.test(text.replace(/^(\/usr)?\/bin\//, ''));
  return JSON.stringify(name).includes('"parameter":"SHELL"');
}

const readers =
  /^(cat|tee|read|mapfile|readarray|xargs|sort|uniq|wc|tr|cut|head|tail|[ef]?grep|sed|awk|jq|base64|md5sum|sha\d+sum|od|gzip|gunzip|tar|env|sudo|(ba|da|z)?sh|pct)$/;

/** Whether any part of it may read the input that the script was given. */
function reads(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(reads);
  if (typeof node !== 'object' || node === null || !('type' in node)) return false;
  if (node.type === 'Pipeline') return readsFirst((node as PipelineNode).commands[0]);
  return Object.values(node).some(reads);
}

function readsFirst(command: CommandNode | undefined): boolean {
  if (command?.type !== 'SimpleCommand') return reads({ ...command });
  if (command.redirections.some(({ operator, fd }) => operator.startsWith('<') && (fd ?? 0) === 0)) return false;
  const name = literal(command.name);
  // A program that takes over reads by itself.
  if (name === tailCommand || command.name === null) return false;
  return name === undefined || readers.test(name.replace(/^(\/usr)?\/bin\//, ''));
}
