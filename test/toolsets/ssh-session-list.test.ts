import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plain, type SessionLab, startSessionLab } from './session-lab.ts';

let lab: SessionLab;
beforeAll(async () => {
  lab = await startSessionLab();
});
afterAll(() => lab.stop());

describe('ssh_session_list', () => {
  it('lists those of the demo', async () => {
    const none = await lab.bench.call('ssh_session_list');
    await lab.bench.call('ssh_session_open', { target: 'pve1', name: 'work' });
    await lab.bench.call('ssh_session_open', { target: 'ct/410', cwd: '/var/log' });
    expect([none, await lab.bench.call('ssh_session_list')].map(plain)).toMatchInlineSnapshot(`
      [
        {
          "facts": {
            "sessions": [],
          },
          "headline": "0 sessions",
        },
        {
          "facts": {
            "sessions": [
              {
                "cwd": {
                  "remote": "/root",
                },
                "name": "work",
                "session": "s0000",
                "state": "idle",
                "target": "pve1",
                "unused_for": "0 s",
              },
              {
                "cwd": {
                  "remote": "/var/log",
                },
                "session": "s0000",
                "state": "idle",
                "target": "ct/410",
                "unused_for": "0 s",
              },
            ],
          },
          "headline": "2 sessions",
        },
      ]
    `);
  });

  it('tells what runs, what ended and what was lost', async () => {
    const [runs, ends, gone] = [await lab.open(), await lab.open(), await lab.open()];
    await lab.call('ssh_session_run', { session: runs, script: 'echo a; sleep 1000\necho b', wait_s: 0 });
    await lab.call('ssh_session_run', { session: ends, script: 'kill -9 $$' });
    const { pid } = { pid: (await lab.call('ssh_session_run', { session: gone, script: 'echo $PPID' })).facts };
    const { stdout } = pid as { readonly stdout: { readonly remote: string } };
    await lab
      .call('ssh_session_run', { session: gone, script: `sudo kill -9 ${stdout.remote.trim()}`, wait_s: 5 })
      .catch(() => undefined);
    expect(plain(await lab.call('ssh_session_list', {}))).toMatchInlineSnapshot(`
      {
        "facts": {
          "sessions": [
            {
              "cwd": {
                "remote": "/home/psm-bash",
              },
              "session": "s0000",
              "state": "running echo a; sleep 1000 for … s",
              "target": "web",
            },
            {
              "cwd": {
                "remote": "/home/psm-bash",
              },
              "session": "s0000",
              "state": "ended by itself, by signal KILL",
              "target": "web",
            },
            {
              "cwd": {
                "remote": "/home/psm-bash",
              },
              "session": "s0000",
              "state": "was lost with its connection",
              "target": "web",
            },
          ],
        },
        "headline": "3 sessions",
      }
    `);
    expect(plain(await lab.call('ssh_session_read', { session: gone }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "next": "ssh_session_open with target web opens another.",
          "session": "s0000",
          "session_state": "lost",
        },
        "headline": "web (session s0000): was lost with its connection",
      }
    `);
  });
});
