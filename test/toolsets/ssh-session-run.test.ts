import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolNamed } from './harness.ts';
import { plain, type SessionLab, startSessionLab } from './session-lab.ts';

let lab: SessionLab;
let session: string;
beforeAll(async () => {
  lab = await startSessionLab();
  session = await lab.open();
});
afterAll(() => lab.stop());

const run = (script: string, more: object = {}) => lab.call('ssh_session_run', { session, script, ...more });

describe('ssh_session_run', () => {
  it('runs in a session of the demo, where the last script left it', async () => {
    const { facts } = await lab.bench.call('ssh_session_open', { target: 'ct/410' });
    const { session } = facts as { readonly session: string };
    const call = (script: string) => lab.bench.call('ssh_session_run', { session, script });
    await call('cd /etc; greeting="hello from"');
    expect(plain(await call('echo "$greeting" $(hostname); pwd; echo "to stderr" >&2; false'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/etc",
          },
          "duration_ms": "…",
          "exit_code": 1,
          "session": "s0000",
          "session_state": "idle",
          "stderr": {
            "remote": "to stderr
      ",
          },
          "stdout": {
            "remote": "hello from postgres
      /etc
      ",
          },
        },
        "headline": "exit 1 on CT 410 (postgres) (session s0000), in … s",
      }
    `);
    expect(plain(await call('echo "open'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/etc",
          },
          "duration_ms": "…",
          "exit_code": 2,
          "session": "s0000",
          "session_state": "idle",
          "stderr": {
            "remote": "line 1: unexpected EOF while looking for matching \`"'
      ",
          },
        },
        "headline": "exit 2 on CT 410 (postgres) (session s0000), in … s",
      }
    `);
    expect(plain(await call('exit 3'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/etc",
          },
          "duration_ms": "…",
          "exit_code": 3,
          "next": "The script ended its own shell (exit, or a failure under set -e). ssh_session_open with target ct/410 opens another.",
          "session": "s0000",
          "session_state": "ended",
        },
        "headline": "exit 3 on CT 410 (postgres), which ended session s0000, in … s",
      }
    `);
    expect(await lab.bench.fails('ssh_session_run', { session, script: 'echo' })).toMatchObject({ kind: 'conflict' });
  });

  it('is stopped at its timeout in the demo too, and the session goes on', async () => {
    const { facts } = await lab.bench.call('ssh_session_open', { target: 'pve1', cwd: '/tmp' });
    const { session } = facts as { readonly session: string };
    const input = { session, script: 'sleep 100; echo after', timeout_s: 1 };
    expect(plain(await lab.bench.fails('ssh_session_run', input))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/tmp",
          },
          "remote_process": "terminated",
          "session": "s0000",
          "session_state": "idle",
          "stderr": {
            "remote": "",
          },
          "stdout": {
            "remote": "",
          },
        },
        "headline": "The command on pve1 (session s0000) ran longer than 1 s; all its processes have been ended. The session goes on.",
      }
    `);
    expect(await lab.bench.call('ssh_session_run', { session, script: 'pwd' })).toMatchObject({
      facts: { stdout: { remote: '/tmp\n' } },
    });
  });

  it('tells of a timeout with the output so far', async () => {
    expect(
      plain(
        await lab.bench.fails('ssh_session_run', { session, script: 'echo begun; sleep 100', timeout_s: 1 }, lab.over),
      ),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "remote_process": "terminated",
          "session": "s0000",
          "session_state": "idle",
          "stderr": {
            "remote": "",
          },
          "stdout": {
            "remote": "begun
      ",
          },
        },
        "headline": "The command on web (session s0000) ran longer than 1 s; all its processes have been ended. The session goes on.",
      }
    `);
  });

  it('leaves what takes long to ssh_session_read', async () => {
    expect(plain(await run('echo begun; sleep 1.5; echo done', { wait_s: 1 }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "next": "ssh_session_read waits for more and for its end; ssh_session_send with key ctrl-c ends it.",
          "session": "s0000",
          "session_state": "running",
          "stdout": {
            "remote": "begun
      ",
          },
        },
        "headline": "still running on web (session s0000) after … s",
      }
    `);
    expect(plain(await lab.call('ssh_session_read', { session, wait_s: 10 }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "duration_ms": "…",
          "exit_code": 0,
          "session": "s0000",
          "session_state": "idle",
          "stdout": {
            "remote": "done
      ",
          },
        },
        "headline": "web (session s0000): exit 0 of echo begun; sleep 1.5; echo done after … s",
      }
    `);
  });

  it('gives input, and refuses what waits for a keyboard', async () => {
    expect(await run('tr a-z A-Z', { stdin: 'abc' })).toMatchObject({ facts: { stdout: { remote: 'ABC' } } });
    expect(await lab.bench.fails('ssh_session_run', { session, script: 'vim /etc/hosts' }, lab.over)).toMatchObject({
      kind: 'invalid-input',
    });
  });

  it('tells when its end is the end of the session', async () => {
    const session = await lab.open();
    expect(
      plain(await lab.call('ssh_session_run', { session, script: 'set -e; echo a; false; echo b' })),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "duration_ms": "…",
          "exit_code": 1,
          "next": "The script ended its own shell (exit, or a failure under set -e). ssh_session_open with target web opens another.",
          "session": "s0000",
          "session_state": "ended",
          "stdout": {
            "remote": "a
      ",
          },
        },
        "headline": "exit 1 on web, which ended session s0000, in … s",
      }
    `);
    expect(
      plain(await lab.bench.fails('ssh_session_run', { session, script: 'echo' }, lab.over)),
    ).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "web (session s0000) takes no more scripts: it ended by itself, with exit code 1.",
      }
    `);
  });

  it('is known by what it does: to the gate, to a human, and by a session that is not there', async () => {
    const tool = toolNamed('ssh_session_run');
    const context = lab.bench.context(lab.over);
    await run('cd /');
    expect(tool.alarm?.({ session, script: 'rm -rf ./etc' }, context)).toMatch(/system folder/);
    expect(tool.alarm?.({ session, script: 'ls' }, context)).toBeUndefined();
    expect(tool.touches?.({ session }, context)).toEqual([]);
    expect((await lab.bench.preview('ssh_session_run', { session, script: 'ls' }, lab.over)).message).toBe(
      `Run on web (session ${session}), in /:\nls`,
    );
    expect(plain(await lab.bench.fails('ssh_session_run', { session: 'nope', script: 'ls' }))).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "There is no session nope; sessions end with the server, and 30 min after they were last used.",
      }
    `);
  });

  it('guarantee 19: names the guest of its session to the gate', async () => {
    const { facts } = await lab.bench.call('ssh_session_open', { target: 'lxc/410' });
    for (const name of ['run', 'send', 'close'])
      expect(toolNamed(`ssh_session_${name}`).touches?.(facts, lab.bench.context())).toEqual([410]);
  });
});
