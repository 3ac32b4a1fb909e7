import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Audit, type AuditEntry, createAudit } from '../../src/gate/audit.ts';
import { answer, remote } from '../../src/present/answer.ts';
import { bin, cli } from './cli.ts';

let home: string;
let file: string;
let audit: Audit;
const auditHere = (maxBytes?: number): Audit =>
  createAudit({ file, headFolder: join(home, '.local/state/proxmox-ssh-mcp-seals'), redact: (text) => text, maxBytes });
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'psm-log-'));
  file = join(home, '.local/state/proxmox-ssh-mcp/audit.jsonl');
  audit = auditHere();
});
afterEach(async () => {
  await audit.close();
  await rm(home, { recursive: true, force: true });
});

const client = { client: 'claude-code 2.1.0', protocol: '2026-07-28', mode: 'guarded' } as const;
const intent = (call: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ kind: 'intent', call, tool: 'ssh_exec', effect: 'execute', approved: 'mode', ...client },
  ...more,
});
const outcome = (call: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ kind: 'outcome', call, tool: 'ssh_exec', effect: 'execute', verdict: 'ok', message: 'done', durationMs: 12 },
  ...{ ...client, ...more },
});

/** A morning: a command that failed, a reading, a question with its answer, and a call whose server was killed. */
async function morning(): Promise<void> {
  const { facts } = answer('', { exit_code: 3, stdout: remote('hello\n'), results: [{ stderr: remote('') }] });
  await audit.write(intent('c1', { input: { target: 'pve1', script: 'systemctl restart webzfs' } }));
  await audit.write(outcome('c1', { facts, message: 'exit 3 on pve1', durationMs: 1_234 }));
  await audit.write({ ...outcome('c2', { input: { guest: 400 } }), tool: 'pve_guest_get', effect: 'read' });
  const destroy = { tool: 'pve_guest_stop', effect: 'destroy', input: { guest: 'web' } } as const;
  const asked = {
    ...intent('c3'),
    ...destroy,
    kind: 'asked',
    approved: undefined,
    message: 'Stop web?\nIt runs.',
  } as const;
  await audit.write({ ...asked, nonce: 'n1' });
  await audit.write({ ...intent('c4'), ...destroy, approved: 'confirmed', nonce: 'n1' });
  await audit.write({
    ...outcome('c4', { durationMs: 95_000, message: 'stopped' }),
    tool: 'pve_guest_stop',
    effect: 'destroy',
  });
  await audit.write(intent('c5', { input: { target: 'ct/400', script: 'sleep 1000' } }));
  await audit.close();
}

const log = (...args: string[]) => cli(['log', ...args], { home });
/** The rows without their times, spaces as one. */
const rows = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.slice(20).replace(/ +/g, ' ').trim());

describe('proxmox-ssh-mcp log', () => {
  beforeEach(morning);

  it('lists calls in aligned lines, the newest last, intent and outcome as one', async () => {
    const { stdout, stderr, code } = await log();
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const shown = stdout.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '2026-11-20 10:15:00');
    expect(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')).toContain(shown);
    expect(shown).toMatchInlineSnapshot(`
      "TIME (UTC)           CALL          TOOL            TARGET      EFFECT   VERDICT     TOOK      APPROVED
      2026-11-20 10:15:00  c1            ssh_exec        pve1        execute  ok, exit 3  1.2 s     mode
      2026-11-20 10:15:00  c2            pve_guest_get   400         read     ok          12 ms
      2026-11-20 10:15:00  c3            pve_guest_stop  web         destroy  asked
      2026-11-20 10:15:00  c4            pve_guest_stop  web         destroy  ok          95 s      confirmed
      2026-11-20 10:15:00  c5            ssh_exec        ct/400      execute  unfinished            mode
      "
    `);
  });

  it.each<[string[], string[]]>([
    [
      ['--tool', 'ssh_*'],
      ['c1', 'c5'],
    ],
    [
      ['--tool', 'ssh_exec,pve_guest_get'],
      ['c1', 'c2', 'c5'],
    ],
    [
      ['--target', '400'],
      ['c2', 'c5'],
    ],
    [['--target', 'ct/400'], ['c5']],
    [
      ['--effect', 'destroy'],
      ['c3', 'c4'],
    ],
    [['--verdict', 'unfinished'], ['c5']],
    [['--verdict', 'asked'], ['c3']],
    [
      ['--client', 'CLAUDE'],
      ['c1', 'c2', 'c3', 'c4', 'c5'],
    ],
    [['--client', 'cursor'], []],
    [
      ['--grep', 'webzfs|sleep'],
      ['c1', 'c5'],
    ],
    [['--call', 'c2'], ['c2']],
    [
      ['--limit', '2'],
      ['c4', 'c5'],
    ],
    [
      ['--since', '1h', '--limit', '0'],
      ['c1', 'c2', 'c3', 'c4', 'c5'],
    ],
    [['--until', '1h'], []],
    [['--since', '2999-01-01 10:00'], []],
  ])('%j shows %j', async (args, expected) => {
    const { stdout: json } = await log(...args, '--json');
    const calls = json.split('\n').filter(Boolean);
    expect(calls.map((line) => JSON.parse(line).call)).toEqual(expected);
  });

  it.each([
    [['--since', 'yesterday'], 'yesterday is not a time. Write 90m, 12h or 7d'],
    [['--grep', '('], '( is not a regular expression.'],
    [['--limit', 'all'], 'all is not a number of calls.'],
  ])('says what is wrong with %j', async (args, message) => {
    const { stdout, stderr, code } = await log(...args);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(message);
  });

  it('shows one call with the question that it is the answer to, whichever of them is named', async () => {
    for (const call of ['c3', 'c4']) {
      const { stdout } = await log('show', call);
      expect(stdout.match(/ {2}(asked|intent|outcome) {2}call c\d/g)).toEqual([
        '  asked  call c3',
        '  intent  call c4',
        '  outcome  call c4',
      ]);
      expect(stdout).toContain('question:          Stop web?\n                     It runs.\n');
      expect(stdout).toContain('approved:          confirmed');
    }
    const { stdout } = await log('show', 'c1', '--json');
    expect(JSON.parse(stdout)).toHaveLength(2);
  });

  it('tells the SHA-256 of commands and outputs as sha256sum would', async () => {
    const { stdout } = await log('show', 'c1');
    // printf 'systemctl restart webzfs' | sha256sum; echo hello | sha256sum; sha256sum </dev/null
    expect(stdout).toContain('sha256 of script:  4bcbd655');
    expect(stdout).toContain(
      'sha256 of stdout:  5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 (6 bytes)',
    );
    expect(stdout).toContain('sha256 of results.0.stderr: e3b0c44298fc1c14');
    expect(stdout).toContain('client:            claude-code 2.1.0, MCP 2026-07-28');
  });

  it('says that there is no such call', async () => {
    const { stderr, code } = await log('show', 'c9');
    expect({ stderr, code }).toEqual({
      stderr: `proxmox-ssh-mcp: There is no call c9 in ${file}. proxmox-ssh-mcp log lists them.\n`,
      code: 1,
    });
  });

  it('exports CSV, JSON and JSON Lines, to a new file of 0600 too', async () => {
    const csv = (await log('export', '--call', 'c2')).stdout.split('\r\n');
    expect(csv[0]).toBe(
      'time,call,tool,about,effect,verdict,exitCode,durationMs,approved,mode,client,protocol,message,input,command,output',
    );
    expect(csv[1]).toMatch(
      /Z,c2,pve_guest_get,400,read,ok,,12,,guarded,claude-code 2\.1\.0,2026-07-28,done,"\{""guest"":400\}",,$/,
    );
    const json = (await log('export', '--format', 'json')).stdout;
    expect(JSON.parse(json).map(({ call }: { call: string }) => call)).toEqual(['c1', 'c2', 'c3', 'c4', 'c5']);
    const output = join(home, 'calls.jsonl');
    expect(await log('export', '--format', 'jsonl', '--output', output)).toEqual({ stdout: '', stderr: '', code: 0 });
    expect(readFileSync(output, 'utf8').trimEnd().split('\n')).toHaveLength(5);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const again = await log('export', '--output', output);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be made: it is there already') });
  });

  it('verify says that all is as it was, or where it is not and what that means', async () => {
    expect(await log('verify')).toEqual({
      stdout: '7 lines of 1 chain in 1 file: all is as it was written.\n',
      stderr: '',
      code: 0,
    });
    writeFileSync(file, readFileSync(file, 'utf8').replace('restart', 'restore'));
    const { stdout, code } = await log('verify');
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "audit.jsonl:1 (ssh_exec, intent, call c1) was edited. Its hash is not that of its text.
      7 lines of 1 chain in 1 file: 1 finding.
      "
    `);
    const json = JSON.parse((await log('verify', '--json')).stdout);
    expect(json).toMatchObject({ ok: false, lines: 7, findings: [{ says: expect.any(String) }] });
  });
});

describe('what is in the way', () => {
  it('a file that is not there', async () => {
    for (const words of [[], ['show', 'x'], ['verify'], ['export'], ['--follow']]) {
      const { stdout, stderr, code } = await log(...words);
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toContain(`There is no audit file ${file}. It is made with the first call.`);
    }
  });

  it('a file that this user may not read', async () => {
    await morning();
    await mkdir(join(home, 'other'));
    renameSync(file, join(home, 'other/audit.jsonl'));
    chmodSync(home, 0o755);
    chmodSync(join(home, 'other/audit.jsonl'), 0o000);
    const settings = join(home, 'settings');
    writeFileSync(settings, `MCP_AUDIT_FILE=${join(home, 'other/audit.jsonl')}\n`, { mode: 0o600 });
    const read = (user: string[]) =>
      new Promise<string>((done) => {
        const [command = '', ...args] = [...user, process.execPath, bin, 'log', '--settings-file', settings];
        const child = spawn(command, args, { env: { HOME: home, PATH: process.env.PATH ?? '' } });
        let text = '';
        child.stderr.on('data', (chunk) => {
          text += chunk;
        });
        child.on('close', () => done(text));
      });
    const { uid } = statSync(settings);
    // Root may read everything without the capability to do so.
    const asNobodySpecial = uid === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'] : [];
    expect(await read(asNobodySpecial)).toContain(
      'cannot be read by this user. Run this as the user that the server runs as.',
    );
  });

  it('lines that cannot be read are told once, and the others are shown', async () => {
    await morning();
    await appendFile(file, 'garbage\n{"time":"2026-');
    const { stdout, stderr, code } = await log();
    expect(rows(stdout)).toHaveLength(5);
    expect(code).toBe(0);
    expect(stderr).toBe(
      'proxmox-ssh-mcp: 2 lines cannot be read, the first is audit.jsonl:8. proxmox-ssh-mcp log verify says whether anything is missing.\n',
    );
    expect((await log('verify')).stdout).toContain('No whole line: audit.jsonl:8, audit.jsonl:9.');
  });

  it('nobody who reads on: quiet', async () => {
    for (let i = 0; i < 300; i += 1) await audit.write({ ...outcome(`r${i}`), input: { target: 'y'.repeat(1000) } });
    await audit.close();
    const child = spawn('bash', ['-c', `"$0" "$1" log --limit 0 | head -1`, process.execPath, bin], {
      env: { HOME: home, PATH: process.env.PATH ?? '' },
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    await new Promise((done) => child.on('close', done));
    expect(stderr).toBe('');
  });

  it('text from hosts that would act on a terminal or a spreadsheet', async () => {
    const nasty = '\x1b]52;c;AAAA\x07\u202egpj.exe';
    await audit.write(outcome('x1', { message: nasty, input: { target: nasty, [nasty]: nasty } }));
    for (const [i, formula] of ['=1+1', '+1', '-1', '@sum(a1)', '\t=1', ' =1', '|calc'].entries()) {
      await audit.write(outcome(`f${i}`, { message: formula }));
    }
    await audit.close();
    // Even lines that this program did not write.
    const [first = ''] = readFileSync(file, 'utf8').split('\n');
    await appendFile(
      file,
      `${first.replaceAll('pve', '\u001b').replace('"x1"', '"\\u001b[31m"').replace('ssh_exec', '\\u009b')}\n`,
    );
    const all = [
      await log(),
      await log('--json'),
      await log('show', 'x1'),
      await log('show', 'x1', '--json'),
      await log('export', '--format', 'json'),
      await log('verify'),
    ];
    const csv = await log('export');
    for (const { stdout, stderr } of [...all, csv])
      expect(stdout + stderr).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]/);
    const messages = csv.stdout
      .split('\r\n')
      .filter((line) => /,f\d,/.test(line))
      .map((line) => line.split(',')[12]);
    expect(messages).toEqual(["'=1+1", "'+1", "'-1", "'@sum(a1)", '\\t=1', "' =1", "'|calc"]);
  });
});

describe('proxmox-ssh-mcp log --follow', () => {
  it('goes on with what is written, over rotations, until it is interrupted', async () => {
    await morning();
    audit = auditHere(2_000);
    const child = spawn(process.execPath, [bin, 'log', '--follow', '--json', '--limit', '2'], {
      env: { HOME: home, PATH: process.env.PATH ?? '' },
    });
    const seen: string[] = [];
    const lines = createInterface({ input: child.stdout });
    const until = (call: string) =>
      new Promise<void>((done) => {
        lines.on('line', (line) => JSON.parse(line).call === call && done());
      });
    lines.on('line', (line) => seen.push(JSON.parse(line).call));
    await until('c4');
    const last = until('d19');
    for (let i = 0; i < 20; i += 1) {
      await audit.write(intent(`d${i}`, { input: { target: 'pve1' } }));
      await audit.write(outcome(`d${i}`));
    }
    await last;
    child.kill('SIGINT');
    const code = await new Promise((done) => child.on('close', done));
    expect(code).toBe(0);
    expect(existsSync(file)).toBe(true);
    expect(seen).toEqual(['c3', 'c4', ...Array.from({ length: 20 }, (_, i) => `d${i}`)]);
  });
});
