import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Session } from '../../src/ssh/session.ts';
import type { Where } from '../../src/ssh/session-ssh.ts';
import { counted } from '../counts.ts';
import { tally } from '../figures.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { BUSYBOX_PROGRAMS } from '../rig/users.ts';
import { type Lab, labFor, openOn, run } from './sessions.ts';

let server: Sshd;
let lab: Lab;
beforeAll(async () => {
  server = await startSshd();
  mkdirSync(join(server.folder, 'dash'), { mode: 0o755 });
  symlinkSync('/usr/bin/dash', join(server.folder, 'dash', 'sh'));
  lab = labFor(server);
});
afterAll(async () => {
  await lab.close();
  await server.stop();
});

let session: Session;
const text = async (script: string) => {
  const { stdout, exitCode } = await run(session, script);
  return [exitCode, stdout];
};

/** The shell that a session gets by what is in PATH. */
const shells: readonly (readonly [string, () => Where])[] = [
  ['bash', () => ({})],
  ['dash', () => ({ env: { PATH: `${join(server.folder, 'dash')}:${BUSYBOX_PROGRAMS}` } })],
  ['busybox ash', () => ({ env: { PATH: BUSYBOX_PROGRAMS } })],
];

/** Random ones for each shell; 10,000 in all. */
const scripts = counted(3_334, 500);

describe.each(shells)('a session in %s', (name, where) => {
  beforeAll(async () => {
    session = await openOn(lab, login(server, 'psm-zsh'), where());
  });
  afterAll(() => lab.sessions.close(session));
  afterEach(() => expect(session.state).toBe('idle'));

  it('is that shell, and nothing is said by it', async () => {
    const { stdout, stderr } = await run(session, 'readlink /proc/$$/exe');
    expect([stdout.trim().split('/').at(-1), stderr]).toEqual([name.split(' ')[0], '']);
  });

  it('keeps directory, variables, functions, aliases, options and umask', async () => {
    await run(session, "cd /tmp; x='a  b'; export y=Y; f() { echo f$1; }; alias hi='echo hi'; set -f; umask 027");
    expect(session.cwd).toBe('/tmp');
    expect(await text('f 1; hi; echo "$x" * ; sh -c \'echo $y\'; pwd; umask')).toEqual([
      0,
      'f1\nhi\na  b *\nY\n/tmp\n0027\n',
    ]);
    await run(session, 'set +f; unalias hi; umask 022');
  });

  it.each([
    ['a comment at the end', 'echo a # comment', 'a\n', 0],
    ['nothing but a comment', '# only', '', 0],
    ['no newline at the end', 'printf a', 'a', 0],
    ['a backslash at the end', 'echo a \\', 'a\n', 0],
    ['a here-document', 'cat <<END\nx $((1 + 1))\nEND', 'x 2\n', 0],
    ['a status', '(exit 200)', '', 200],
    ['a reader of standard input', 'cat; read -r z; echo "$z."', '.\n', 0],
    ['a closed output', 'exec 1>&- 2>&-; :', '', 0],
    ['an output that goes elsewhere', 'exec >/dev/null; echo a', '', 0],
    ['leftovers of before', 'echo visible', 'visible\n', 0],
    ['what it was told by a mark of before', 'echo "$PSM_KIDS" $PSM_S', '\n', 0],
    ['a terminal that is not there', '(echo x >/dev/tty) 2>/dev/null || echo none', 'none\n', 0],
    ['a descriptor of its own', 'exec 3>/tmp/psm-session-3; echo x >&3; exec 3>&-; cat /tmp/psm-session-3', 'x\n', 0],
  ])('runs a script with %s', async (_, script, stdout, exitCode) => {
    const done = await run(session, script);
    expect([done.exitCode, done.stdout, done.stderr]).toEqual([exitCode, stdout, '']);
  });

  it.each([
    ["echo 'open", 'quoted string|matching'],
    ['echo "open', 'quoted string|matching'],
    ['echo $(open', 'yntax|matching'],
    ['( echo', 'yntax'],
    ['if true', 'yntax'],
    ['}', 'yntax'],
    ['set -u\necho $nothing\necho after', 'nothing'],
    [`echo \${nothing?is missing}\necho after`, 'is missing'],
    ['readonly fixed=1; fixed=2\necho after', 'fixed'],
  ])('survives the error in %j, after which nothing of it runs', async (script, says) => {
    const done = await run(session, script);
    expect(done.stdout).toBe('');
    expect(done.exitCode).toBeGreaterThan(0);
    expect(done.stderr).toMatch(new RegExp(says));
    expect(await text('set +u; echo alive')).toEqual([0, 'alive\n']);
  });

  it('goes on with options, traps and words of ours that a script has changed', async () => {
    await run(session, 'set -x; set -C; IFS=x; trap "echo exit" EXIT; PSM_S=; unset PATH PWD; false');
    expect((await run(session, 'echo axb')).stdout).toBe('axb\n');
    const { stdout, stderr } = await run(session, 'echo traced');
    expect([stdout, stderr.replace(/^\++/gm, '+')]).toEqual(['traced\n', '+ echo traced\n']);
    await run(session, 'set +x; set +C; unset IFS; trap - EXIT; set -v; cd /');
    expect(await text('set +v; echo quiet')).toEqual([0, 'quiet\n']);
    expect(session.cwd).toBe('/');
  });

  it('is in a folder that is gone', async () => {
    await run(session, 'export PATH=/usr/bin:/bin; d=$(mktemp -d); cd "$d"; rmdir "$d"');
    expect((await run(session, 'echo still')).stdout).toBe('still\n');
    await run(session, 'cd /');
  });

  it('gives input to a script, byte for byte, and its end', async () => {
    const stdin = `${'é'.repeat(40_000)}\n\tno newline`;
    expect((await run(session, 'cat; echo; x=after', { stdin })).stdout).toBe(`${stdin}\n`);
    expect((await run(session, 'head -n 1; echo $x', { stdin: 'a\nb\n' })).stdout).toBe('a\nafter\n');
    expect((await run(session, 'cat', { stdin: '' })).stdout).toBe('');
  });

  it('tells what is left behind from what comes after it', async () => {
    await run(session, 'for n in 1 2 3 4 5 6; do sleep 0.2; echo "late $n"; echo "error $n" >&2; done & echo now');
    const [first, second] = [
      await run(session, 'sleep 0.7; echo mine'),
      await run(session, 'sleep 0.5; echo also mine'),
    ];
    expect([first.stdout, second.stdout, first.stderr + second.stderr]).toEqual(['mine\n', 'also mine\n', '']);
    expect(first.mixed || second.mixed).toBe(false);
    await vi.waitFor(() => expect(session.strays.bytes).toBe(6 * 'late 1\nerror 1\n'.length), { timeout: 10_000 });
    const { stdout, stderr } = await session.strays.peek();
    expect([String(stdout.bytes), String(stderr.bytes)]).toEqual([
      [1, 2, 3, 4, 5, 6].map((n) => `late ${n}\n`).join(''),
      [1, 2, 3, 4, 5, 6].map((n) => `error ${n}\n`).join(''),
    ]);
    session.strays.at = { stdout: stdout.bytes.length, stderr: stderr.bytes.length };
  });

  it(`guarantee 6: gives every byte of ${scripts} random scripts and their outputs back, and nothing else`, {
    timeout: counted(900_000, 120_000),
  }, async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        "'",
        '"',
        '\\',
        '\n',
        '$(',
        '`',
        '}',
        'EOF\n',
        '#',
        ' # x',
        '\r',
        '\u0001',
        '%s',
        '-n',
        '!!',
        '\\\n',
      ),
    );
    const carried = word.filter((one) => !one.includes('\0') && !/\p{Surrogate}/u.test(one));
    const quoted = (one: string) => `'${one.replaceAll("'", "'\\''")}'`;
    await fc.assert(
      fc.asyncProperty(fc.array(carried, { minLength: 1, maxLength: 10 }), async (words) => {
        const script = words.map((one) => `printf %s ${quoted(one)}; printf %s ${quoted(one)} >&2`).join('\n');
        const done = await run(session, `${script}\n(exit ${words.length})`);
        expect([done.stdout, done.stderr, done.exitCode]).toEqual([words.join(''), words.join(''), words.length]);
      }),
      { numRuns: scripts },
    );
    tally(6, 'scripts byte for byte in sessions of 3 shells', scripts);
  });
});
