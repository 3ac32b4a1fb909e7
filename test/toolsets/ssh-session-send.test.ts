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

const send = (input: object) => lab.call('ssh_session_send', { session, ...input });

describe('ssh_session_send', () => {
  it('writes to what reads it, and ends its input', async () => {
    const script = 'printf "name? "; while read -r name; do printf "hello %s\\nname? " "$name"; done; echo bye';
    expect(
      plain(await lab.call('ssh_session_run', { session, script, interactive: true, wait_s: 1 })),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "next": "ssh_session_send writes to it, ssh_session_read waits for more.",
          "session": "s0000",
          "session_state": "running",
          "stdout": {
            "remote": "name? ",
          },
        },
        "headline": "still running on web (session s0000) after … s",
      }
    `);
    expect(plain(await send({ text: 'Ada' }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "session": "s0000",
          "session_state": "running",
          "stdout": {
            "remote": "hello Ada
      name? ",
          },
        },
        "headline": "web (session s0000): running printf "name? "; while read -r name; do printf "hello %s\\nname? " "$name"; done… for … s",
      }
    `);
    expect(plain(await send({ text: 'Grace', key: 'ctrl-d', newline: false }))).toMatchInlineSnapshot(`
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
            "remote": "bye
      ",
          },
        },
        "headline": "web (session s0000): exit 0 of printf "name? "; while read -r name; do printf "hello %s\\nname? " "$name"; done… after … s",
      }
    `);
  });

  it('interrupts what runs', async () => {
    await lab.call('ssh_session_run', { session, script: 'while :; do sleep 1; done; echo after', wait_s: 0 });
    expect(plain(await send({ key: 'ctrl-c', wait_s: 5 }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "duration_ms": "…",
          "exit_code": 130,
          "remote_process": "terminated",
          "session": "s0000",
          "session_state": "idle",
          "stopped_by": "interrupted",
        },
        "headline": "web (session s0000): exit 130 of while :; do sleep 1; done; echo after after … s",
      }
    `);
    expect(await lab.call('ssh_session_run', { session, script: 'echo alive' })).toMatchObject({
      facts: { stdout: { remote: 'alive\n' } },
    });
  });

  it('says what there is nothing to send to', async () => {
    const fails = async (input: object) =>
      plain(await lab.bench.fails('ssh_session_send', { session, ...input }, lab.over));
    expect(await fails({ text: 'x' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "Nothing runs on web (session s0000).",
      }
    `);
    await lab.call('ssh_session_run', { session, script: 'sleep 100', wait_s: 0 });
    expect(await fails({ text: 'x' })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "What runs on web (session s0000), sleep 100, was not started to read what is sent.",
      }
    `);
    await send({ key: 'ctrl-c' });
  });

  it('is asked about as a script is', async () => {
    const alarm = (text: string) =>
      toolNamed('ssh_session_send').alarm?.({ session, text }, lab.bench.context(lab.over));
    expect([alarm('rm -rf /'), alarm('yes')]).toEqual(['It deletes a system folder with all below it.', undefined]);
    const { message } = await lab.bench.preview('ssh_session_send', { session, text: 'yes', key: 'ctrl-d' }, lab.over);
    expect(message).toBe(`Send to web (session ${session}), which runs nothing, and then press ctrl-d:\nyes`);
  });
});
