import type { CommandNode, PipelineNode, SimpleCommandNode, WordNode } from 'just-bash';
import { group, internal, literal, programName, redirection, simple, statement, streams, wordOf } from './syntax.ts';

/**
 * The interpreter wants a script's input before it starts. This rewrites a script so that each command that reads the
 * script's own input takes its part when it is run: `read` a line, `head -c` so many bytes, any other all of it.
 */
export function fed<T>(node: T): T {
  if (Array.isArray(node)) return node.map(fed) as T;
  if (typeof node !== 'object' || node === null) return node;
  if ('type' in node && node.type === 'FunctionDef') return node;
  if ('type' in node && node.type === 'Pipeline') return fedPipeline(node as T & PipelineNode);
  return fedParts(node);
}

const fedParts = <T extends object>(node: T): T =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, fed(value)])) as T;

/** Only the first command of a pipeline has the script's input. */
function fedPipeline<T extends PipelineNode>(pipeline: T): T {
  const [first, ...others] = pipeline.commands;
  return first ? { ...pipeline, commands: [fedCommand(first), ...others] } : pipeline;
}

function fedCommand(command: CommandNode): CommandNode {
  if (command.type === 'FunctionDef') return command;
  if (command.redirections.some(({ operator, fd }) => operator.startsWith('<') && (fd ?? 0) === 0)) return command;
  return command.type === 'SimpleCommand' ? fedSimple(fedParts(command)) : fedParts(command);
}

function fedSimple(command: SimpleCommandNode): CommandNode {
  const name = programName(command.name);
  if (name === 'read') return lineReader(command);
  if (name === 'head' && literal(command.args[0] ?? null) === '-c' && command.args[1] && command.args.length === 2) {
    return { ...simple(internal.bytes, command.args[1]), redirections: command.redirections };
  }
  if (name === undefined || !readsInput(name, command.args)) return command;
  return { ...command, redirections: [redirection(0, '<', streams.in), ...command.redirections] };
}

/** `read x` as `{ __line=$(__line) && read x <<<"$__line"; }`. */
function lineReader(command: SimpleCommandNode): CommandNode {
  const body = { type: 'Script' as const, statements: [statement(simple(internal.line))] };
  const line: SimpleCommandNode = {
    ...simple(''),
    name: null,
    assignments: [
      {
        type: 'Assignment',
        name: internal.line,
        append: false,
        array: null,
        value: wordOf({ type: 'CommandSubstitution', legacy: false, body }),
      },
    ],
  };
  const value = wordOf({ type: 'ParameterExpansion', parameter: internal.line, operation: null });
  const here = wordOf({ type: 'DoubleQuoted', parts: value.parts });
  const read: SimpleCommandNode = {
    ...command,
    redirections: [...command.redirections, { type: 'Redirection', fd: null, operator: '<<<', target: here }],
  };
  return group([statement(line, read)]);
}

/** How many operands make these programs read files instead of their input. */
const operandsBeforeInput: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['grep', 'egrep', 'fgrep', 'sed', 'awk', 'jq'].map((name) => [name, 2])),
  ...Object.fromEntries(
    'cat head tail wc sort uniq cut od base64 md5sum sha256sum gzip tar'.split(' ').map((n) => [n, 1]),
  ),
};

const always = /^(tee|tr|xargs|mapfile|readarray|env|sudo|(ba|da)?sh|pct)$/;

function readsInput(name: string, args: readonly WordNode[]): boolean {
  if (always.test(name)) return true;
  const operands = args.filter((arg) => !/^(-.*|\d+)$/.test(literal(arg) ?? 'quoted'));
  return operands.length < (operandsBeforeInput[name] ?? 0);
}
