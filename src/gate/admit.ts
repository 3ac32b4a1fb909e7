import { Failure } from '../failure.ts';
import { settingsOf, type Tool, type ToolContext } from '../toolsets/tool.ts';
import { judgeCommands } from './commands.ts';
import type { Confirmation, Question, Reply } from './confirm.ts';
import { decide } from './policy.ts';
import { refuseProtected } from './protect.ts';
import { hidden } from './registry.ts';
import type { Terminal } from './terminal.ts';

/** How a call was let through: by the mode, by the operator's rules for commands, by a human, whom the client or a terminal asked. */
export type Approved = 'mode' | 'policy' | 'confirmed' | 'terminal';

/** What the client said of itself and of a question that was put to it before. */
export interface Asker {
  /** Whether this client can put a question to a human. */
  readonly canAsk: boolean;
  /** Present when this is the second round of a call that was asked about. */
  readonly reply?: Reply;
}

/** Says how a call is let through, or what has to be answered first; `refused` when it may not be. */
export type Admit = (
  asker: Asker,
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
  /** Told of a question that is put to somebody in another way than by the client. */
  noted: (question: Question) => Promise<void>,
) => Promise<Question | Approved>;

/** Who can be asked. Where the client cannot ask, a terminal is asked if there is one, and says why where it cannot be. */
export interface Askers {
  readonly confirmation: Confirmation;
  readonly terminal?: Terminal | Failure;
}

/** Cheap refusals come before questions. */
export const createAdmit =
  ({ confirmation, terminal }: Askers): Admit =>
  async ({ canAsk, reply }, tool, input, context, noted) => {
    const { mode } = context.setup;
    const ruled = await judgeCommands(tool, input, context);
    const alarm = tool.alarm?.(input, context);
    const byMode = decide(mode, tool, alarm);
    if (byMode === 'hide') throw hidden(tool, true, context.setup);
    const byRule = ruled.verdict === 'allow' && alarm === undefined && tool.human === undefined;
    const asks = ruled.verdict === 'ask' || (byMode === 'ask' && !byRule);
    if (asks && !canAsk && terminal instanceof Failure) throw terminal;
    if (asks && !canAsk && !terminal) throw cannotAsk(tool, context, ruled.verdict === 'ask');
    await refuseProtected(tool, input, context);
    if (!asks) return byMode === 'ask' ? 'policy' : 'mode';
    const because = [ruled.verdict === 'ask' ? ruled.because : [], alarm ?? []].flat();
    if (!canAsk && terminal && !(terminal instanceof Failure)) {
      await terminal.admit(tool, input, context, because, noted);
      return 'terminal';
    }
    if (!reply) return confirmation.ask(tool, input, context, because);
    await confirmation.settle(reply, tool, input, context);
    return 'confirmed';
  };

function cannotAsk({ name, human }: Tool, { setup }: ToolContext, byRule: boolean): Failure {
  const client = 'Use a client with elicitation (Claude Code has it)';
  if (human !== undefined) {
    return new Failure(
      'refused',
      `${name} has to be confirmed by a human, and this client cannot ask one.`,
      `${client}. ${human}`,
    );
  }
  if (byRule) {
    const text = `${name} has to be confirmed by a human, as the rules for commands say, and this client cannot ask one.`;
    return new Failure(
      'refused',
      text,
      `${client}, or the operator can allow this very command in the inventory file.`,
    );
  }
  return new Failure(
    'refused',
    `${name} has to be confirmed by a human in ${setup.mode} mode, and this client cannot ask one.`,
    `${client}, or the operator can set MCP_APPROVE_IN_TERMINAL=yes or ${settingsOf(setup).mode('trusted')} and restart the server.`,
  );
}
