import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Session } from '../../src/ssh/session.ts';
import { waitFor } from '../../src/ssh/session-read.ts';
import { counted } from '../counts.ts';
import { figure, grouped } from '../figures.ts';
import { login } from '../rig/login.ts';
import { startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { withSshd } from './commands.ts';
import { type Lab, labFor, openOn, run } from './sessions.ts';

let server: Sshd;
let lab: Lab;
beforeAll(async () => {
  server = await startSshd();
  lab = labFor(server);
});
afterAll(async () => {
  await lab.close();
  await server.stop();
});

async function withSession(act: (session: Session) => Promise<void>): Promise<void> {
  const session = await openOn(lab, login(server, 'psm-bash'));
  await act(session);
  await lab.sessions.close(session);
}

const { signal } = new AbortController();
const newsOf = async (session: Session, until?: string) => {
  const found = await waitFor(session, { waitMs: 10_000, until, signal });
  const { unread } = session.untold ?? session.command ?? { unread: session.strays };
  const { stdout } = await unread.peek();
  unread.at = { ...unread.at, stdout: stdout.from + stdout.bytes.length };
  return [stdout.bytes.toString(), found];
};

describe('scripts that are given at once', () => {
  it('run one at a time, in the order in which they came, each with its own output', async () => {
    await withSession(async (session) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(9), { minLength: 1, maxLength: 16 }), async (values) => {
          await run(session, 'all=');
          const done = await Promise.all(
            values.map((n) => run(session, `all="$all ${n}"; echo ${n}; echo ${n} >&2; (exit ${n})`)),
          );
          expect(done.map(({ stdout, stderr, exitCode }) => [stdout, stderr, exitCode])).toEqual(
            values.map((n) => [`${n}\n`, `${n}\n`, n]),
          );
          expect((await run(session, 'echo "$all"')).stdout).toBe(` ${values.join(' ')}\n`);
        }),
        { numRuns: 60 },
      );
    });
  });

  it('are refused beyond 16 that wait, and when they would wait for one that no call waits for', async () => {
    await withSession(async (session) => {
      const all = Array.from({ length: 18 }, () =>
        run(session, 'sleep 0.02').then(
          () => 'ran',
          (error) => error.kind,
        ),
      );
      expect((await Promise.all(all)).toSorted()).toEqual(['busy', ...Array(17).fill('ran')]);
      const first = run(session, 'sleep 100', { waitMs: 300 });
      const second = run(session, 'echo x').catch((error: unknown) => error);
      expect((await first).command.endedAt).toBeUndefined();
      expect(await second).toMatchObject({ kind: 'busy', message: expect.stringContaining('no call waits for') });
      await expect(run(session, 'echo x')).rejects.toMatchObject({ kind: 'busy' });
    });
  });

  it('leave out one that is cancelled while it waits', async () => {
    await withSession(async (session) => {
      const stop = new AbortController();
      const first = run(session, 'sleep 0.3; ran=first');
      const second = run(session, 'ran="$ran second"', { signal: stop.signal }).catch((error: unknown) => error);
      const third = run(session, 'echo "$ran third"');
      stop.abort();
      expect(await second).toMatchObject({ kind: 'cancelled' });
      await first;
      expect((await third).stdout).toBe('first third\n');
    });
  });
});

describe('a script that no call waits for', () => {
  it('is read piece by piece, and its end is told', async () => {
    await withSession(async (session) => {
      const { command } = await run(session, 'echo a; sleep 0.6; printf "b "; sleep 0.6; echo c; (exit 7)', {
        waitMs: 200,
      });
      expect(await newsOf(session)).toEqual(['a\n', false]);
      expect(await newsOf(session)).toEqual(['b ', false]);
      expect(await newsOf(session, 'nothing like it')).toEqual(['c\n', false]);
      expect([command.exitCode, session.state]).toEqual([7, 'idle']);
    });
  });

  it('gets what is sent, until its input is ended', async () => {
    await withSession(async (session) => {
      const work = { interactive: true, waitMs: 50 };
      const script = 'while read -r line; do echo "<$line>"; done; echo end; sent=$line.';
      const { command } = await run(session, script, work);
      command.inlet?.write(Buffer.from('one\nPSM'));
      expect(await newsOf(session, '<one>')).toEqual(['<one>\n', true]);
      command.inlet?.write(Buffer.from('_S=3\n'));
      expect(await newsOf(session, '<PSM_S=3>')).toEqual(['<PSM_S=3>\n', true]);
      // What nobody reads any more does not reach the next script.
      command.inlet?.write(Buffer.from('last'));
      command.inlet?.end();
      await command.over;
      expect(await newsOf(session)).toEqual(['end\n', false]);
      expect((await run(session, 'cat; echo "$sent"')).stdout).toBe('last.\n');
    });
  });

  it('is interrupted as by a keyboard, when it reads what is sent', async () => {
    await withSession(async (session) => {
      const script = `bash -c 'trap "echo interrupted" INT; while read -r x || [ $? -gt 128 ]; do echo "$x."; done'; echo after`;
      const { command } = await run(session, script, { interactive: true, waitMs: 50 });
      command.inlet?.write(Buffer.from('a\n'));
      expect(await newsOf(session, 'a.')).toEqual(['a.\n', true]);
      await session.interrupt(command);
      command.inlet?.write(Buffer.from('b\n'));
      expect((await newsOf(session, 'b.'))[0]).toContain('interrupted\n');
      command.inlet?.end();
      await command.over;
      expect((await newsOf(session))[0]).toContain('after\n');
    });
  });
});

/** 1 GiB unless time is short. */
const mebibytes = counted(1024, 256);

describe(`guarantee 7: ${mebibytes} MiB`, { timeout: counted(240_000, 60_000) }, () => {
  it('goes through a session, in memory that does not grow with it', async () => {
    await withSession(async (session) => {
      const before = process.memoryUsage().rss;
      const bytes = mebibytes * 2 ** 20;
      const script = `head -c ${bytes} /dev/zero | tr "\\0" "x"; echo; echo end`;
      const { command, stdout } = await run(session, script, { timeoutMs: 200_000 });
      expect([command.output.bytes('stdout'), stdout.slice(-5)]).toEqual([bytes + 5, '\nend\n']);
      const grown = (process.memoryUsage().rss - before) / 2 ** 20;
      expect(grown).toBeLessThan(64);
      figure(7, `${grouped(mebibytes)} MiB through a session: ${grown.toFixed(0)} MiB more memory after it`);
    });
  });
});

describe.each([1, 2])('guarantee 1: with MaxSessions %i', (maxSessions) => {
  it('sessions that are open and run keep nobody waiting', async () => {
    await withSshd({ maxSessions }, async (small) => {
      const own = labFor(small);
      const host = login(small, 'psm-bash');
      const open = await Promise.all([1, 2, 3].map(() => openOn(own, host)));
      const long = open.map((session) => run(session, 'read -r x; echo "$x"', { interactive: true, waitMs: 10 }));
      await Promise.all(long);
      const commands = Array.from({ length: 20 }, (_, n) =>
        own.ssh.run(host, { script: `echo ${n}`, timeoutMs: 10_000 }),
      );
      expect((await Promise.all(commands)).map(({ stdout }) => stdout.text)).toEqual(commands.map((_, n) => `${n}\n`));
      for (const { command } of open) command?.inlet?.write(Buffer.from('sent\n'));
      for (const { command } of open) await command?.over;
      expect(open.map(({ untold }) => untold?.output.output().stdout.text)).toEqual(['sent\n', 'sent\n', 'sent\n']);
      await own.close();
    });
  });
});

describe('guarantee 2: a connection that is lost', () => {
  it('ends its session as lost within 1 s, what it ran is unknown, and that is told until it is closed', async () => {
    const proxy = await startProxy(server);
    const own = labFor(server);
    const session = await openOn(own, login(server, 'psm-bash', { port: proxy.port }));
    const other = await openOn(own, login(server, 'psm-bash'));
    const running = run(session, 'echo begun; sleep 20', { waitMs: 300 });
    const { command } = await running;
    const cut = performance.now();
    proxy.cut();
    await command.over;
    expect(performance.now() - cut).toBeLessThan(1_000);
    await vi.waitFor(() => expect(session.state).toBe('lost'));
    expect([command.shell?.failure?.kind, command.output.output().stdout.text]).toEqual(['outcome-unknown', 'begun\n']);
    await expect(run(session, 'echo x')).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining('it was lost with its connection'),
    });
    expect(own.sessions.list()).toContain(session);
    expect((await run(other, 'echo alive')).stdout).toBe('alive\n');
    await own.sessions.close(session);
    expect(own.sessions.list()).toEqual([other]);
    await own.close();
    await proxy.stop();
  });
});

describe('the store', () => {
  it('takes 8 sessions on a host and 20 in all', { timeout: 60_000 }, async () => {
    const own = labFor(server);
    const open = (name: string) =>
      openOn(own, login(server, 'psm-bash', { name })).then(
        () => 'open',
        (error) => error.message,
      );
    const all = ['a', 'b', 'c'].flatMap((name) => Array<string>(8).fill(name));
    const said: string[] = [];
    for (const name of [...all.slice(0, 8), 'a', ...all.slice(8)]) said.push(await open(name));
    expect(said.filter((one) => one === 'open')).toHaveLength(20);
    expect(said[8]).toBe('8 sessions are open on a, as many as there may be.');
    expect(said.at(-1)).toBe('20 sessions are open, as many as there may be.');
    await own.close();
  });

  it('closes what is not used, and not what runs', async () => {
    const own = labFor(server, { idleMs: 400 });
    const [idle, busy] = await Promise.all([1, 2].map(() => openOn(own, login(server, 'psm-bash'))));
    const running = run(busy as Session, 'sleep 1.2');
    await vi.waitFor(() => expect(idle?.ended).toBe('was not used for long'), { timeout: 5_000 });
    expect(busy?.state).toBe('running');
    await running;
    await own.close();
  });

  it('counts every script for the limit of the host', async () => {
    const own = labFor(server);
    const host = login(server, 'psm-bash', { limits: { commandsPerMinute: 3 } });
    const session = await openOn(own, host);
    await run(session, 'echo 1');
    await own.ssh.run(host, { script: 'echo 2', timeoutMs: 10_000 });
    await expect(run(session, 'echo 3')).rejects.toMatchObject({ kind: 'busy' });
    await own.close();
  });

  it('opens none where the command could not be run', async () => {
    const own = labFor(server);
    const nowhere = openOn(own, login(server, 'psm-bash'), { cwd: '/nowhere' });
    await expect(nowhere).rejects.toMatchObject({ kind: 'not-found' });
    const noSudo = openOn(own, login(server, 'psm-zsh'), { sudo: true });
    await expect(noSudo).rejects.toMatchObject({ kind: expect.stringMatching(/permission|authentication/) });
    const gaveUp = new AbortController();
    const opening = { target: 'x', label: 'x', host: 'x' };
    const cancelled = own.sessions.openOn(login(server, 'psm-bash'), {}, opening, gaveUp.signal);
    gaveUp.abort();
    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
    expect(own.sessions.list()).toEqual([]);
    await own.close();
  });
});
