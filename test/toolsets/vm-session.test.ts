import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newWord } from '../../src/ssh/session-text.ts';
import { type Left, readTold, wholeLife } from '../../src/toolsets/vm/session-text.ts';
import { counted } from '../counts.ts';
import { tally } from '../figures.ts';
import { realAgent } from '../rig/agent.ts';
import { makeUsers } from '../rig/users.ts';
import { type Bench, startBench } from './harness.ts';
import { plain } from './session-lab.ts';

let bench: Bench;
beforeAll(async () => {
  makeUsers();
  bench = await startBench();
});
afterAll(() => bench.stop());

/** A VM whose agent starts real processes of this machine. */
const call = (name: string, input: Record<string, unknown>) => bench.call(name, input, { pve });
let pve: ReturnType<Bench['as']>;
beforeAll(() => {
  pve = bench.as('root@pam!mcp', realAgent());
});

async function open(input: Record<string, unknown> = {}): Promise<string> {
  const { facts } = await call('ssh_session_open', { target: 'vm/200', ...input });
  return (facts as { readonly session: string }).session;
}

/** Random values, and how many of them in one script. */
const values = counted(10_000, 100);
const atOnce = 20;

interface Facts {
  readonly exit_code?: number;
  readonly stdout?: { readonly remote: string };
  readonly stderr?: { readonly remote: string };
  readonly cwd?: { readonly remote: string };
}
async function run(session: string, script: string, more: object = {}) {
  const { facts } = await call('ssh_session_run', { session, script, ...more });
  const { exit_code, stdout, stderr, cwd } = facts as Facts;
  return [exit_code, stdout?.remote ?? '', stderr?.remote ?? '', cwd?.remote] as const;
}

describe('a session in a VM', () => {
  it('opens and runs in the VM of the demo', async () => {
    const opened = await bench.call('ssh_session_open', { target: 'vm/200' });
    const { session } = opened.facts as { readonly session: string };
    const ran = await bench.call('ssh_session_run', { session, script: 'hostname; false' });
    expect([opened, ran].map(plain)).toMatchInlineSnapshot(`
      [
        {
          "facts": {
            "cwd": {
              "remote": "/",
            },
            "session": "s0000",
            "target": "vm/200",
          },
          "headline": "session s0000 is open on VM 200 (homeassistant)",
        },
        {
          "facts": {
            "cwd": {
              "remote": "/",
            },
            "duration_ms": "…",
            "exit_code": 1,
            "session": "s0000",
            "session_state": "idle",
            "stdout": {
              "remote": "homeassistant
      ",
            },
          },
          "headline": "exit 1 on VM 200 (homeassistant) (session s0000), in … s",
        },
      ]
    `);
  });

  it('keeps directory, variables, functions, arrays, options and umask, and real exit codes', async () => {
    const session = await open({ cwd: '/tmp', env: { GREETING: "it's\nme" } });
    const first =
      "x='a\nb'; list=(1 '2 3'); declare -A map=([k]=v); f() { echo \"f $1\"; }; alias hi='echo hi'; shopt -s expand_aliases; set -f; umask 027; cd /var/tmp; (exit 7)";
    expect(await run(session, first)).toEqual([7, '', '', '/var/tmp']);
    const second = `echo "$x" "\${list[1]}" "\${map[k]}" "$GREETING" *; f 1; hi; umask; pwd; sh -c 'echo "$GREETING$x"'`;
    const said = "a\nb 2 3 v it's\nme *\nf 1\nhi\n0027\n/var/tmp\nit's\nme\n";
    expect(await run(session, second)).toEqual([0, said, '', '/var/tmp']);
    expect(await run(session, `echo "$PSM_S$PSM_O\${#PSM_RUN}"; set -x; :`)).toEqual([
      0,
      '32\n',
      expect.any(String),
      '/var/tmp',
    ]);
    expect((await run(session, 'echo traced'))[2]).toMatch(/^\++ echo traced\n$/);
    expect(await run(session, 'set +x; cat; echo; kept=1', { stdin: 'in put' })).toEqual([
      0,
      'in put\n',
      expect.any(String),
      '/var/tmp',
    ]);
    expect(await run(session, 'echo $kept')).toEqual([0, '1\n', '', '/var/tmp']);
    await call('ssh_session_close', { session });
  });

  it('is as before after a script that ended its shell, and after an error', async () => {
    const session = await open();
    await run(session, 'cd /tmp; x=kept');
    expect(plain(await call('ssh_session_run', { session, script: 'x=lost; cd /; exit 3' }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/tmp",
          },
          "duration_ms": "…",
          "exit_code": 3,
          "next": "The script ended its own shell: the session is as it was before it.",
          "session": "s0000",
          "session_state": "idle",
        },
        "headline": "exit 3 on VM 200 (homeassistant) (session s0000), in … s",
      }
    `);
    expect((await run(session, 'echo "open'))[0]).toBeGreaterThan(0);
    expect((await run(session, 'set -eu\nx=lost\necho $nothing\necho after'))[1]).toBe('');
    expect(await run(session, 'echo $x')).toEqual([0, 'kept\n', '', '/tmp']);
  });

  it('runs as another user', async () => {
    const session = await open({ user: 'psm-dash' });
    expect(await run(session, 'id -un; x=1')).toEqual([0, 'psm-dash\n', '', '/home/psm-dash']);
    expect(await run(session, 'id -un; echo $x')).toEqual([0, 'psm-dash\n1\n', '', '/home/psm-dash']);
  });

  it('guarantee 4: ends what runs past its time, and goes on', async () => {
    const session = await open();
    await run(session, 'x=kept');
    const seconds = 100_000_000 + Math.floor(Math.random() * 800_000_000);
    const failed = await bench.fails(
      'ssh_session_run',
      { session, script: `sleep ${seconds}; x=lost`, timeout_s: 1 },
      { pve },
    );
    expect(failed).toMatchObject({ kind: 'timeout', facts: { remote_process: 'terminated', session_state: 'idle' } });
    expect(execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' })).not.toMatch(
      new RegExp(`^[^Z].*sleep ${seconds}`, 'm'),
    );
    expect(await run(session, 'echo $x')).toEqual([0, 'kept\n', '', '/']);
  });

  it('lets a script go on, and tells its end', async () => {
    const session = await open();
    await call('ssh_session_run', { session, script: 'sleep 1; echo done; (exit 4)', wait_s: 0 });
    expect(plain(await call('ssh_session_read', { session, wait_s: 20 }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/",
          },
          "duration_ms": "…",
          "exit_code": 4,
          "session": "s0000",
          "session_state": "idle",
          "stdout": {
            "remote": "done
      ",
          },
        },
        "headline": "VM 200 (homeassistant) (session s0000): exit 4 of sleep 1; echo done; (exit 4) after … s",
      }
    `);
  });

  it('says what it cannot do', async () => {
    const session = await open();
    const fails = async (name: string, input: object) => {
      const { kind, headline } = plain(await bench.fails(name, { ...input }, { pve })) as {
        kind?: string;
        headline: string;
      };
      return [kind, headline];
    };
    expect(await fails('ssh_session_run', { session, script: 'read x', interactive: true })).toMatchInlineSnapshot(`
      [
        undefined,
        "Nothing can be sent to a script in VM 200 (homeassistant): its guest agent gives it all of its input when it begins.",
      ]
    `);
    expect(await fails('ssh_session_open', { target: 'vm/200', cwd: '/nowhere' })).toMatchInlineSnapshot(`
      [
        undefined,
        "VM 200 (homeassistant) has no directory /nowhere that can be entered, so the session was not opened.",
      ]
    `);
    expect(await fails('ssh_session_open', { target: 'vm/200', user: 'nobody-here' })).toMatchInlineSnapshot(`
      [
        undefined,
        "VM 200 (homeassistant) has no user nobody-here, so the command was not run.",
      ]
    `);
    expect((await fails('ssh_session_run', { session, script: `: ${'x'.repeat(70_000)}` }))[1]).toContain(
      'guest agent',
    );
  });

  it(`guarantee 6: brings random values back byte for byte (${values} of 10,000)`, {
    timeout: counted(1_800_000, 60_000),
  }, async () => {
    const session = await open();
    const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((one) => !/[\0\p{Surrogate}]/u.test(one));
    const some = fc.array(text, { minLength: atOnce, maxLength: atOnce });
    await fc.assert(
      fc.asyncProperty(some, async (list) => {
        await run(session, `values=(${list.map((value) => `'${value.replaceAll("'", `'\\''`)}'`).join(' ')})`);
        expect((await run(session, `printf "%s\\n" "\${values[@]}"`))[1]).toBe(
          list.map((value) => `${value}\n`).join(''),
        );
      }),
      { numRuns: values / atOnce },
    );
    tally(6, 'values byte for byte by a session of the guest agent', values);
  });
});

describe.each([['dash'], ['busybox', 'ash']])('a script in a VM without bash, in %s', (...shell) => {
  let left: Left = { state: '', options: '' };
  const run = (script: string) => {
    const word = newWord();
    const [program = '', ...args] = [...shell, '-c', wholeLife(script, left, newWord(), word)];
    const { stdout, stderr } = spawnSync(program, args, { cwd: '/' });
    const { told, stderr: said } = readTold(stderr, word);
    left = told?.left ?? left;
    return [told?.exitCode, stdout.toString(), said.toString(), told?.cwd];
  };

  it('leaves directory, variables, aliases, options and umask', () => {
    const first = `x="a'b\nc"; export y=Y; alias hi='echo hi'; umask 027; set -f; mkdir -p "/tmp/it's here"; cd "/tmp/it's here"; (exit 5)`;
    expect(run(first)).toEqual([5, '', '', "/tmp/it's here"]);
    expect(run('echo "$x" *; sh -c "echo \\$y"; umask; hi')).toEqual([
      0,
      "a'b\nc *\nY\n0027\nhi\n",
      '',
      "/tmp/it's here",
    ]);
    expect(run('exit 3')).toEqual([undefined, '', '', undefined]);
    expect(run('set +f; cd /; echo "$x"')).toEqual([0, "a'b\nc\n", '', '/']);
  });
});
