import type { CommandNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode } from 'just-bash';
import { fed } from './reading.ts';
import { group, internal, literal, programName, redirection, simple, statement, streams, word } from './syntax.ts';

/**
 * The interpreter gives a script's output when it is over. This rewrites a script so that each statement sends its output
 * when it ends, and that the process becomes the program which its last command starts, as it does with `exec`.
 */
export function streamed(plain: ScriptNode): ScriptNode {
  const script = prepared(plain);
  const moves = script.statements.findIndex(movesOutput);
  if (moves >= 0) {
    const { statements } = script;
    const to = lastCommand(statements[moves] as StatementNode)?.redirections;
    const rest = statement(group(statements.slice(moves + 1), to && [...to]));
    return fed({ ...script, statements: [...block(statements.slice(0, moves), false), rest] });
  }
  // A function would be gone in the program, and may have the program's very name.
  const defines = JSON.stringify(script).includes('"type":"FunctionDef"');
  return { ...script, statements: fed(block(script.statements, !defines)) };
}

/** Everywhere `program … &` as what starts it and does not wait for its end, and a shell by its path as what finds it. */
function prepared<T>(node: T): T {
  if (Array.isArray(node)) return node.map(prepared) as T;
  if (typeof node !== 'object' || node === null) return node;
  const parts = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, prepared(value)])) as T & object;
  if ('type' in parts && parts.type === 'SimpleCommand') return byPath(parts as T & SimpleCommandNode);
  if (!('type' in parts && parts.type === 'Statement' && 'background' in parts && parts.background)) return parts;
  return inBackground(parts as T & StatementNode) ?? parts;
}

/** `"$shell" …`, a shell that a variable names by its path. */
function byPath<T extends SimpleCommandNode>(command: T): T {
  const named = command.name && JSON.stringify(command.name).includes('"parameter":"shell"');
  return named && command.name
    ? { ...command, name: word(internal.byPath), args: [command.name, ...command.args] }
    : command;
}

function inBackground<T extends StatementNode>(node: T): T | undefined {
  const command = node.pipelines.length === 1 ? lastCommand(node) : undefined;
  if (!command?.name) return undefined;
  const commands = [{ ...command, name: word(internal.background), args: [command.name, ...command.args] }];
  return { ...node, background: false, pipelines: [{ type: 'Pipeline' as const, negated: false, commands }] };
}

/** A list of statements; nothing comes after the `last` of them, so it may take the shell's place. */
const block = (statements: readonly StatementNode[], last: boolean): StatementNode[] =>
  statements.map((each, i) => sent(each, last && i === statements.length - 1));

/** The statement with its output sent on when it ends; in a loop or a condition, each statement inside. */
function sent(plain: StatementNode, last: boolean): StatementNode {
  if (plain.background || plain.deferredError) return plain;
  const node = last || isExec(plain) ? handedOver(plain, last) : plain;
  const [pipeline] = node.pipelines;
  const [command] = pipeline?.commands ?? [];
  const alone = node.pipelines.length === 1 && pipeline?.commands.length === 1 ? command : undefined;
  const inside = alone && alone.type !== 'SimpleCommand' && alone.redirections.length === 0 && parts(alone, last);
  if (pipeline && inside) return { ...node, pipelines: [{ ...pipeline, commands: [inside] }] };
  return statement(group([node], [redirection(1, '>>', streams.out), redirection(2, '>>', streams.err)]));
}

function parts(command: CommandNode, last: boolean): CommandNode | undefined {
  switch (command.type) {
    case 'Group':
      return { ...command, body: block(command.body, last) };
    case 'For':
    case 'CStyleFor':
      return { ...command, body: block(command.body, false) };
    case 'While':
    case 'Until':
      return { ...command, condition: block(command.condition, false), body: block(command.body, false) };
    case 'Case':
      return { ...command, items: command.items.map((item) => ({ ...item, body: block(item.body, last) })) };
    case 'If': {
      const clauses = command.clauses.map(({ condition, body }) => ({
        condition: block(condition, false),
        body: block(body, last),
      }));
      return { ...command, clauses, elseBody: command.elseBody && block(command.elseBody, last) };
    }
    default:
      return undefined;
  }
}

const lastCommand = ({ pipelines }: StatementNode): SimpleCommandNode | undefined => {
  const commands = pipelines.at(-1)?.commands;
  return commands?.length === 1 && commands[0]?.type === 'SimpleCommand' ? commands[0] : undefined;
};

const isExec = (node: StatementNode): boolean => literal(lastCommand(node)?.name ?? null) === 'exec';

/** `exec >file`: from there on the output goes elsewhere, and must not be sent by the statement. */
const movesOutput = (node: StatementNode): boolean => isExec(node) && lastCommand(node)?.args.length === 0;

/** A shell for a session finds the outputs that it is started with by itself. */
const staysOpen = ({ name, args }: SimpleCommandNode): boolean =>
  literal(name) === 'exec' && args.some((arg) => literal(arg) === '-i');

/** Replaces `exec`, and a last command that starts a program, by what makes the process that program. */
function handedOver(node: StatementNode, last: boolean): StatementNode {
  const pipeline = node.pipelines.at(-1);
  const command = lastCommand(node);
  if (!pipeline || !command?.name || pipeline.negated || pipeline.timed) return node;
  if (command.redirections.length > 0 && !staysOpen(command)) return node;
  const replaced = replacement(command, command.name, last);
  const pipelines = [...node.pipelines.slice(0, -1), { ...pipeline, commands: [replaced] }];
  return { ...node, pipelines };
}

function replacement(command: SimpleCommandNode, name: WordNode, last: boolean): CommandNode {
  const become = (argv: readonly WordNode[]): CommandNode => ({
    ...command,
    redirections: [],
    name: word(internal.become),
    args: [...argv],
  });
  if (literal(name) === 'exec') return group([statement(become(command.args)), statement(simple('exit'))]);
  if (last && literal(name) === 'eval') return { ...command, name: word(internal.goOn) };
  return last && launches(name) ? become([name, ...command.args]) : command;
}

/** Programs that run other programs, or that write over a longer time. */
const launchers = /^(env|sudo|su|(ba|da)?sh|setsid|nohup|nice|ionice|stdbuf|pct|sleep|journalctl|docker)$/;

const launches = (name: WordNode): boolean =>
  launchers.test(programName(name) ?? '') || JSON.stringify(name).includes('"parameter":"SHELL"');
