import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { Sessions } from '../../src/ssh/sessions.ts';
import { plain, type SessionLab, startSessionLab } from './session-lab.ts';

let lab: SessionLab;
beforeAll(async () => {
  lab = await startSessionLab({}, { containers: { 400: 'running' } });
});
afterAll(() => lab.stop());

describe('ssh_session_open', () => {
  it('opens one on a node of the demo', async () => {
    expect(plain(await lab.bench.call('ssh_session_open', { target: 'pve1', name: 'work' }))).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/root",
          },
          "name": "work",
          "session": "s0000",
          "target": "pve1",
        },
        "headline": "session s0000 is open on pve1",
      }
    `);
  });

  it('opens one in a container of the demo', async () => {
    expect(
      plain(await lab.bench.call('ssh_session_open', { target: 'ct/410', cwd: '/var/log' })),
    ).toMatchInlineSnapshot(`
      {
        "facts": {
          "cwd": {
            "remote": "/var/log",
          },
          "session": "s0000",
          "target": "ct/410",
        },
        "headline": "session s0000 is open on CT 410 (postgres)",
      }
    `);
  });

  it('takes directory, environment, user and sudo', async () => {
    const session = await lab.open({ cwd: '/tmp', env: { GREETING: "it's" }, sudo: true });
    expect(await lab.call('ssh_session_run', { session, script: 'id -un; echo $GREETING; pwd' })).toMatchObject({
      facts: { stdout: { remote: "root\nit's\n/tmp\n" } },
    });
    const other = await lab.open({ user: 'psm-zsh', name: 'other' });
    expect(await lab.call('ssh_session_run', { session: 'other', script: 'id -un' })).toMatchObject({
      facts: { session: other, stdout: { remote: 'psm-zsh\n' } },
    });
  });

  it('says what keeps it from opening', async () => {
    const fails = async (input: object) => {
      const { kind, headline, hint } = await lab.bench.fails('ssh_session_open', { ...input }, lab.over);
      return [kind, headline, hint];
    };
    await lab.open({ name: 'taken' });
    expect((await fails({ target: 'web', name: 'taken' }))[0]).toBe('conflict');
    expect(await fails({ target: 'web', cwd: '/nowhere' })).toMatchInlineSnapshot(`
      [
        "not-found",
        "web has no directory /nowhere that can be entered, so the command was not run.",
        "Correct the directory, or leave it out to run in the home directory.",
      ]
    `);
    expect((await fails({ target: 'vm/9000' }))[0]).toBe('conflict');
  });

  it('guarantee 18: opens none in read-only mode, by whatever road', async () => {
    const refused = new Failure('refused', 'No.', 'Never.');
    const pool = createPool({ knownHosts: [], ownKnownHosts: '/dev/null/known_hosts' });
    const sessions = new Sessions({ ssh: lab.over.ssh as never, pool, refused });
    const opening = { target: 'web', label: 'web', host: 'web' };
    const { spec } = await lab.over.ssh.hosts.find('web');
    await expect(sessions.openOn(spec, {}, opening, new AbortController().signal)).rejects.toBe(refused);
  });
});
