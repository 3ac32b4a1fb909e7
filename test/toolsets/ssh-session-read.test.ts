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
    interface Part {
      readonly stdout?: { readonly remote: string };
      readonly session_state: string;
      readonly more_bytes?: number;
    }
    // It is still running when the call that began it answers: its end is for those who read.
    const begun = await lab.call('ssh_session_run', { session, script: 'sleep 0.3; seq 1 20000', wait_s: 0 });
    const parts = [begun.facts as unknown as Part];
    const isLast = ({ session_state, more_bytes }: Part) => session_state === 'idle' && more_bytes === undefined;
    while (parts.length < 100 && !isLast(parts.at(-1) as Part)) {
      parts.push((await read({ wait_s: 5 })).facts as unknown as Part);
    }
    const text = parts.map(({ stdout }) => stdout?.remote ?? '').join('');
    expect(text).toBe(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''));
    expect(parts.length).toBeGreaterThan(3);
  });

  it('does not hold what is cancelled', async () => {
    const stop = new AbortController();
    const reading = lab.call('ssh_session_read', { session, wait_s: 60 }, { signal: stop.signal });
    stop.abort();
    expect((await reading).facts).toMatchObject({ session_state: 'idle' });
  });
});
