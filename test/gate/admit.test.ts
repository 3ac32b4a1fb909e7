import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createAdmit } from '../../src/gate/admit.ts';
import { createConfirmation, type Question } from '../../src/gate/confirm.ts';
import type { Mode } from '../../src/gate/policy.ts';
import type { Terminal } from '../../src/gate/terminal.ts';
import { answer } from '../../src/present/answer.ts';
import { defineSshTool, type PlacedCommands, type Tool, type ToolContext } from '../../src/toolsets/tool.ts';
import { setup } from './harness.ts';

const RULES = { allow: ['ls *'], ask: ['reboot'], deny: ['rm *'] };
const at = (script: string, place = 'pve1', rules = RULES): PlacedCommands => ({ place, script, rules });

interface Made {
  readonly commands?: readonly PlacedCommands[];
  readonly alarm?: string;
  readonly human?: string;
}

const toolOf = ({ commands, alarm, human }: Made): Tool => ({
  ...defineSshTool({
    name: 'ssh_x',
    title: 'Run',
    effect: 'execute',
    summary: 'X.',
    search: 'x',
    input: {},
    ...(alarm !== undefined && { alarm: () => alarm }),
    ...(commands && { commands: async () => commands }),
    run: async () => answer('x', {}),
  }),
  human,
});

/** How a call is let through, what is asked, or why it is refused: cause and cure. */
async function admitted(
  made: Made,
  mode: Mode = 'guarded',
  canAsk = true,
  { file, terminal }: { readonly file?: string; readonly terminal?: Terminal | Failure } = {},
) {
  const hosts = { rules: () => (file === undefined ? undefined : { file }) };
  const context = { setup: setup({ mode }), ssh: { hosts } } as unknown as ToolContext;
  const admit = createAdmit({ confirmation: createConfirmation(1_000, (text) => text), terminal });
  const end = await admit({ canAsk }, toolOf(made), {}, context, async () => undefined).catch(
    (error: unknown) => error,
  );
  if (end instanceof Failure) return [end.kind, end.message, end.hint];
  return typeof end === 'string' ? end : (end as Question).message;
}

describe('what is let through', () => {
  it('is what the mode allows and no rule is about', async () => {
    expect(await admitted({})).toBe('mode');
    expect(await admitted({ commands: [] })).toBe('mode');
    expect(await admitted({ commands: [at('ls -l')] })).toBe('mode');
    expect(await admitted({ commands: [at('df', 'pve1', {} as typeof RULES)] })).toBe('mode');
  });

  it('is what a rule allows where the mode would ask, if all of it is allowed and nothing alarms', async () => {
    expect(await admitted({ commands: [at('ls -l')] }, 'ask')).toBe('policy');
    expect(await admitted({}, 'ask')).toBe('Run');
    expect(await admitted({ commands: [] }, 'ask')).toBe('Run');
    expect(await admitted({ commands: [at('ls -l'), at('df', 'web', {} as typeof RULES)] }, 'ask')).toBe('Run');
    expect(await admitted({ commands: [at('ls -l')], alarm: 'It burns.' }, 'ask')).toBe('It burns.\nRun');
    expect(await admitted({ commands: [at('ls -l')], human: 'By hand.' }, 'ask')).toBe('Run');
  });

  it('is asked about where a rule says so, in every mode, with the rule and the alarm first', async () => {
    for (const mode of ['guarded', 'ask', 'trusted'] as const) {
      expect(await admitted({ commands: [at('ls -l'), at('reboot')] }, mode)).toBe(
        'The rule "reboot" for pve1 asks about: reboot.\nRun',
      );
    }
    expect(await admitted({ commands: [at('df', 'web')], alarm: 'It burns.' })).toBe(
      'No rule for web allows: df.\nIt burns.\nRun',
    );
  });
});

describe('what is not let through', () => {
  it('is what the mode of the place hides, though the tool is there for another', async () => {
    expect(await admitted({ commands: [at('ls -l')] }, 'read-only')).toEqual([
      'refused',
      'ssh_x is not available in read-only mode: its effect is execute.',
      'The operator can set MCP_MODE=guarded and restart the server.',
    ]);
  });

  it('is what a rule denies, whatever else is asked or allowed', async () => {
    const rm = at('rm -r /srv', 'web');
    const refusal = (file: string) => [
      'refused',
      'The rule "rm *" for web denies: rm -r /srv. ssh_x was not run.',
      `Only the operator can change the rules for commands, in ${file}.`,
    ];
    for (const mode of ['guarded', 'ask', 'trusted'] as const) {
      expect(await admitted({ commands: [at('reboot'), rm] }, mode)).toEqual(refusal('the inventory file'));
    }
    expect(await admitted({ commands: [rm] }, 'guarded', true, { file: '/etc/hosts.json' })).toEqual(
      refusal('/etc/hosts.json'),
    );
    const long = await admitted({ commands: [at(`rm ${'x'.repeat(400)}`)] });
    expect(long[1]).toMatch(/denies: rm x+ \[… \d+ characters not shown …\] x+\. ssh_x was not run\.$/);
  });

  it('is what has to be asked where nobody can be', async () => {
    const client = 'Use a client with elicitation (Claude Code has it)';
    expect(await admitted({}, 'ask', false)).toEqual([
      'refused',
      'ssh_x has to be confirmed by a human in ask mode, and this client cannot ask one.',
      `${client}, or the operator can set MCP_APPROVE_IN_TERMINAL=yes or MCP_MODE=trusted and restart the server.`,
    ]);
    expect(await admitted({ commands: [at('reboot')] }, 'trusted', false)).toEqual([
      'refused',
      'ssh_x has to be confirmed by a human, as the rules for commands say, and this client cannot ask one.',
      `${client}, or the operator can allow this very command in the inventory file.`,
    ]);
    expect(await admitted({ human: 'Or do it by hand.' }, 'trusted', false)).toEqual([
      'refused',
      'ssh_x has to be confirmed by a human, and this client cannot ask one.',
      `${client}. Or do it by hand.`,
    ]);
    expect(await admitted({}, 'guarded', false)).toBe('mode');
  });
});

describe('a client that cannot ask, where a terminal can be', () => {
  const asked: unknown[] = [];
  const terminal: Terminal = {
    admit: async (_tool, _input, _context, because) => void asked.push(because),
    close: () => undefined,
  };

  it('has the operator asked there, with why it is asked, and only then', async () => {
    expect(await admitted({ alarm: 'It burns.' }, 'ask', false, { terminal })).toBe('terminal');
    expect(await admitted({ commands: [at('reboot')] }, 'trusted', false, { terminal })).toBe('terminal');
    expect(asked).toEqual([['It burns.'], ['The rule "reboot" for pve1 asks about: reboot.']]);
    expect(await admitted({}, 'guarded', false, { terminal })).toBe('mode');
    expect(await admitted({}, 'ask', true, { terminal })).toBe('Run');
    expect(asked).toHaveLength(2);
  });

  it('is told why that cannot be, and only what has to be asked is', async () => {
    const none = new Failure('misconfigured', 'The key cannot be read.', 'Mend it.');
    expect(await admitted({}, 'ask', false, { terminal: none })).toEqual([
      'misconfigured',
      'The key cannot be read.',
      'Mend it.',
    ]);
    expect(await admitted({}, 'guarded', false, { terminal: none })).toBe('mode');
    expect(await admitted({}, 'ask', true, { terminal: none })).toBe('Run');
  });
});
