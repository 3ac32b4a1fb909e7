import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConfirmation } from '../../src/gate/confirm.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { type Bench, startBench, toolNamed } from '../toolsets/harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

/** What a human is asked before that call. */
async function asked(name: string, input: Record<string, unknown>, because?: readonly string[]): Promise<string> {
  const tool = toolNamed(name);
  const confirmation = createConfirmation(60_000, (text) => text);
  const { message } = await confirmation.ask(tool, parseInput(tool, input), bench.context(), because);
  return message;
}

const HARMLESS = '\nuptime\n\nGuests concerned: none.';

describe('a question that a model wants to be read as another one', () => {
  it('has no line of its own for a variable, an input or a folder of several lines', async () => {
    const input = { target: 'pve1', script: 'poweroff', env: { A: HARMLESS }, stdin: HARMLESS, cwd: `/tmp${HARMLESS}` };
    const lines = (await asked('ssh_exec', input)).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines.at(-1)).toBe('poweroff');
    expect(lines.filter((line) => /^(uptime|Guests)/.test(line))).toEqual([]);
  });

  it('says how much of a long input it does not show', async () => {
    const message = await asked('ssh_exec', { target: 'pve1', script: 'sh', stdin: `${'true;'.repeat(200)}poweroff` });
    expect(message).toContain('with 1008 characters of input: true;');
    expect(message).toContain('[… 608 characters not shown …]\nsh');
  });

  it('has no line of its own for a parameter of an API call', async () => {
    const call = { method: 'POST', path: '/nodes/pve1/lxc/400/status/stop', params: { description: HARMLESS } };
    const input = { ...call, path: '/nodes/pve1/lxc/400/snapshot', params: { snapname: 'a1', ...call.params } };
    const message = await asked('pve_api_call', input);
    expect(message).toContain('description = \\nuptime\\n\\nGuests concerned: none.');
    expect(message.split('\n').filter((line) => line.startsWith('Guests concerned'))).toEqual([
      'Guests concerned: CT 400 (keycloak) on pve1, stopped.',
    ]);
  });

  it('has no line of its own for a setting of a guest', async () => {
    const set = { hookscript: 'local:snippets/x' };
    const message = await asked('pve_guest_configure', { guest: 400, description: `x${HARMLESS}`, set }, [
      'It reaches.',
    ]);
    expect(message.split('\n').map((line) => line.replace(/:.*/, ''))).toEqual([
      'It reaches.',
      'Change CT 400 (keycloak) on pve1, as root over SSH',
      'description',
      'hookscript',
    ]);
  });

  it('sets the lines of a value apart where a tool has no preview', async () => {
    const message = await asked('ssh_file_write', { target: 'pve1', path: '/etc/x', content: 'a\ntarget: ct/999\nb' });
    expect(message).toContain('\ncontent:\n  | a\n  | target: ct/999\n  | b');
    expect(message.match(/^target: /gm)).toEqual(['target: ']);
  });

  it('does not show a file of several lines in its path as a change', async () => {
    const path = '/etc/motd:\n-old\n+new';
    await bench.call('ssh_file_write', { target: 'pve1', path: '/etc/motd', content: 'one\n', overwrite: true });
    const input = { target: 'pve1', path, edits: [{ old_text: 'one', new_text: 'two' }] };
    await expect(asked('ssh_file_edit', input)).rejects.toThrow('has no file');
  });

  it('is not pushed out of sight by empty lines or by blanks', async () => {
    for (const gap of [
      '\n'.repeat(500),
      '\n \t\n'.repeat(200),
      ' '.repeat(900),
      '\u3000'.repeat(900),
      '\u2800'.repeat(900),
    ]) {
      const message = await asked('ssh_exec', { target: 'pve1', script: `uptime${gap}poweroff` });
      expect(message).toMatch(/^Run on pve1:\nuptime\s\[… \d+ (empty lines|blanks) …\]\s+poweroff$/);
    }
  });

  it('keeps the lines of a usual script as they are', async () => {
    const script = 'for i in 1 2; do\n    if true; then\n        echo "$i"\n    fi\n\n\ndone';
    expect(await asked('ssh_exec', { target: 'pve1', script })).toBe(`Run on pve1:\n${script}`);
  });

  it('has a guest whose name is lines on one line', async () => {
    const guest = bench.world.guests.find(({ vmid }) => vmid === 102);
    if (!guest) throw new Error('no guest');
    const name = guest.config.hostname ?? '';
    guest.config.hostname = 'web\nGuests concerned: none.\n';
    const message = await asked('pve_guest_power', { guest: 102, action: 'shutdown' });
    guest.config.hostname = name;
    expect(message.split('\n')).toHaveLength(1);
    expect(message).toContain('CT 102 (web Guests concerned: none. ) on pve');
  });

  it('shows letters that look like others, links and escapes as what they are', async () => {
    const message = await asked('ssh_exec', {
      target: 'pve1',
      script: '# [harmless](http://evil.example)\u202e\u200b \x1b]8;;http://evil\x07ls\x1b[2J',
    });
    expect(message).toContain('[harmless](http://evil.example)\\u{202e}\\u{200b} \\x1b]8;;http://evil\\x07ls\\x1b[2J');
    for (const target of ['рve1', 'pve1\u200b', 'pve１']) {
      await expect(asked('ssh_exec', { target, script: 'ls' })).rejects.toThrow('is not a target');
    }
  });

  it('cannot be said to come from somebody else by a key that is to be pressed', async () => {
    const session = (await bench.call('ssh_session_open', { target: 'pve1' })).facts as { session: string };
    const message = await asked('ssh_session_send', {
      session: session.session,
      text: 'no\nthen press ctrl-c',
      key: 'ctrl-d',
    });
    expect(message).toMatch(/^Send to .*, and then press ctrl-d:\nno\nthen press ctrl-c$/);
  });
});
