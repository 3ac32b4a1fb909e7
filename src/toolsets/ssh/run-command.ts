import type { z } from 'zod';
import { type Answer, answer, type RemoteText } from '../../present/answer.ts';
import type { CommandResult } from '../../ssh/client.ts';
import { count, elapsed } from '../format.ts';
import type { command } from '../params.ts';
import type { Preview, ToolContext } from '../tool.ts';
import type { VmResult } from '../vm/run.ts';
import { refuseKeyboard } from './keyboard.ts';
import type { Place } from './place.ts';
import { runAt } from './run-at.ts';

export type CommandInput = z.infer<z.ZodObject<typeof command>>;

/** Runs the command at its place. That it ended is an answer, whatever its exit code. */
export async function runCommand(
  place: Place,
  input: CommandInput,
  context: ToolContext,
  sudo: boolean,
): Promise<Answer> {
  const { script, stdin, cwd, env, user, timeout_s } = input;
  refuseKeyboard(input);
  const timeoutMs = timeout_s === undefined ? context.setup.commandTimeoutMs : timeout_s * 1000;
  return ended(place, await runAt(place, { script, stdin, cwd, env, user, timeoutMs, sudo }, context));
}

const ended = (place: Place, result: VmResult): Answer =>
  answer(`${ending(result)} on ${place.label} in ${elapsed(result.durationMs)}`, {
    exit_code: result.exitCode,
    signal: result.signal,
    ran_on: place.label,
    ssh_host: 'host' in place && place.container !== undefined ? place.host.spec.name : undefined,
    stdout: unlessEmpty(result.stdout),
    stderr: unlessEmpty(result.stderr),
    cut_by_the_guest_agent: result.cut.length > 0 ? result.cut : undefined,
    duration_ms: Math.round(result.durationMs),
    background_holds_output: result.backgroundHoldsOutput,
  });

const unlessEmpty = (text: RemoteText): RemoteText | undefined => (text.totals.bytes > 0 ? text : undefined);

const ending = ({ exitCode, signal }: CommandResult): string =>
  exitCode !== undefined ? `exit ${exitCode}` : signal ? `killed by signal ${signal}` : 'ended without an exit status';

/** What a human is shown of a command before it runs; the script comes last, because a long text loses its end. */
export function previewCommand(place: Place, input: CommandInput, sudo: boolean): Preview {
  const { script, stdin, cwd, env, user } = input;
  refuseKeyboard(input);
  const by = 'guest' in place ? 'its guest agent' : place.container === undefined ? undefined : place.host.spec.name;
  const on = by === undefined ? place.label : `${place.label}, by ${by}`;
  const as = user ?? (sudo ? 'root' : undefined);
  const lines = [
    `Run on ${on}${as === undefined ? '' : ` as ${as}`}${cwd === undefined ? '' : `, in ${cwd}`}:`,
    ...Object.entries(env ?? {}).map(([name, value]) => `with ${name}=${value}`),
    ...(stdin === undefined ? [] : [`with ${count(stdin.length, 'character')} of input: ${stdin.slice(0, 200)}`]),
    script,
  ];
  return {
    message: lines.join('\n'),
    state: { place: place.label, host: 'host' in place ? place.host.spec.name : place.guest.node },
  };
}
