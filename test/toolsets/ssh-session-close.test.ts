import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plain, type SessionLab, startSessionLab } from './session-lab.ts';

let lab: SessionLab;
beforeAll(async () => {
  lab = await startSessionLab();
});
afterAll(() => lab.stop());

describe('ssh_session_close', () => {
  it('closes one of the demo', async () => {
    const { facts } = await lab.bench.call('ssh_session_open', { target: 'pve1' });
    const { session } = facts as { readonly session: string };
    expect(plain(await lab.bench.call('ssh_session_close', { session }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "session": "s0000",
        },
        "headline": "session s0000 on pve1 is closed",
      }
    `);
    expect(plain(await lab.bench.fails('ssh_session_close', { session }))).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "There is no session s0000; sessions end with the server, and 30 min after they were last used.",
      }
    `);
  });

  it('ends what it runs', async () => {
    const session = await lab.open();
    await lab.call('ssh_session_run', { session, script: 'sleep 1000', wait_s: 0 });
    expect(plain(await lab.call('ssh_session_close', { session }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "remote_process": "terminated",
          "session": "s0000",
          "stopped": "sleep 1000",
        },
        "headline": "session s0000 on web is closed",
      }
    `);
  });
});
