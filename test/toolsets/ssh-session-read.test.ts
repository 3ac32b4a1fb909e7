import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plain, type SessionLab, startSessionLab } from './session-lab.ts';

let lab: SessionLab;
let session: string;
beforeAll(async () => {
  lab = await startSessionLab();
  session = await lab.open();
});
afterAll(() => lab.stop());

const read = (input: object = {}) => lab.call('ssh_session_read', { session, ...input });

describe('ssh_session_read', () => {
  it('waits for a text, then for the end', async () => {
    const script = 'for n in 1 2 3; do echo "step $n"; sleep 0.4; done; echo "no such" >&2; (exit 5)';
    await lab.call('ssh_session_run', { session, script, wait_s: 0 });
    const first = await read({ wait_s: 20, until: 'step 2' });
    expect(first.facts).toMatchObject({ found: true, session_state: 'running' });
    expect(plain(await read({ wait_s: 20, until: 'never said' }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "duration_ms": "…",
          "exit_code": 5,
          "found": false,
          "session": "s0000",
          "session_state": "idle",
          "stderr": {
            "remote": "no such
      ",
          },
          "stdout": {
            "remote": "step 3
      ",
          },
        },
        "headline": "web (session s0000): exit 5 of for n in 1 2 3; do echo "step $n"; sleep 0.4; done; echo "no such" >&2; (exit 5) after … s",
      }
    `);
    expect(plain(await read())).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "session": "s0000",
          "session_state": "idle",
        },
        "headline": "web (session s0000): idle",
      }
    `);
  });

  it('tells what earlier scripts left in the background', async () => {
    const input = { session, script: '{ sleep 0.3; echo late; echo error >&2; } &' };
    await lab.call('ssh_session_run', input);
    expect(await lab.call('ssh_session_run', { session, script: 'sleep 0.8; echo mine' })).toMatchObject({
      facts: { stdout: { remote: 'mine\n' }, background_bytes: 11 },
    });
    expect(plain(await read())).toMatchInlineSnapshot(`
      {
        "facts": {
          "background_output": {
            "stderr": {
              "remote": "error
      ",
            },
            "stdout": {
              "remote": "late
      ",
            },
          },
          "cwd": {
            "remote": "/home/psm-bash",
          },
          "session": "s0000",
          "session_state": "idle",
        },
        "headline": "web (session s0000): idle",
      }
    `);
  });

  it('gives a long output part by part, each byte once', async () => {
    const begun = await lab.call('ssh_session_run', { session, script: 'seq 1 20000', wait_s: 0 });
    let text = (begun.facts as { stdout?: { remote: string } }).stdout?.remote ?? '';
    let parts = 0;
    for (let exit: unknown; exit === undefined || parts === 0; parts++) {
      const { facts } = (await read({ wait_s: 5 })) as {
        facts: Record<string, { remote?: string } | number | undefined>;
      };
      const { stdout } = facts;
      if (typeof stdout === 'object') text += stdout.remote ?? '';
      exit = facts.exit_code !== undefined && facts.more_bytes === undefined ? 0 : undefined;
    }
    expect(text).toBe(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''));
    expect(parts).toBeGreaterThan(3);
  });

  it('does not hold what is cancelled', async () => {
    const stop = new AbortController();
    const reading = lab.call('ssh_session_read', { session, wait_s: 60 }, { signal: stop.signal });
    stop.abort();
    expect((await reading).facts).toMatchObject({ session_state: 'idle' });
  });
});
