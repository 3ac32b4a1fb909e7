import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Confirmation, createConfirmation, type Reply } from '../../src/gate/confirm.ts';
import { createGate, type Outcome } from '../../src/gate/dispatch.ts';
import { createRegistry } from '../../src/gate/registry.ts';
import type { Setup, ToolContext } from '../../src/toolsets/tool.ts';
import { login } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { type Bench, setup, startBench, toolNamed } from './harness.ts';
import { type Site, siteOf } from './hosts.ts';

let bench: Bench;
let sshd: Sshd;
let other: Sshd;
beforeAll(async () => {
  bench = await startBench();
  sshd = await startSshd({ extraConfig: ['LogLevel DEBUG1'] });
  other = await startSshd({ authorizedKeys: [readFileSync(`${sshd.clientKeyPath}.pub`, 'utf8').trim()] });
});
afterAll(async () => {
  await bench.stop();
  await sshd.stop();
  await other.stop();
});

const entry = (server: Sshd) => {
  const { address, port } = login(server, 'psm-bash');
  return { address, port, user: 'psm-bash', keyPath: sshd.clientKeyPath };
};
const keyOf = (server: Sshd) => server.hostKeyLine.split(' ').slice(1).join(' ');

/** The tool on the whole road, with a client that can ask unless it is said otherwise. */
function roadOf(site: Site, mode: Setup['mode'] = 'trusted') {
  const made: Setup = { ...setup, mode, toolsets: ['ssh'] };
  const tool = toolNamed('ssh_host_trust');
  const confirmation: Confirmation = createConfirmation(60_000, (text) => text);
  const gate = createGate({
    registry: createRegistry([tool], made),
    confirmation,
    audit: { write: async () => undefined, close: async () => undefined },
    setup: made,
    context: (signal): ToolContext => bench.context({ ssh: site.ssh, setup: made, signal }),
  });
  const call = (host: string, more: { reply?: Reply; canAsk?: boolean } = {}) => {
    const signal = new AbortController().signal;
    const args = { host };
    return gate({ tool: tool.name, args, client: 'test', canAsk: true, signal, progress: () => undefined, ...more });
  };
  const answered = async (host: string, said: Partial<Reply> = {}) =>
    call(host, { reply: { action: 'accept', confirmed: true, ticket: question(await call(host)).ticket, ...said } });
  return { call, answered };
}

function question(outcome: Outcome) {
  if (outcome.kind !== 'question') throw new Error(`no question: ${JSON.stringify(outcome)}`);
  return outcome.question;
}

function failure(outcome: Outcome) {
  if (outcome.kind !== 'failure') throw new Error(`no failure: ${JSON.stringify(outcome)}`);
  const { kind, message, hint } = outcome.failure;
  return { kind, message, hint };
}

describe('ssh_host_trust', () => {
  it.each(['guarded', 'ask', 'trusted'] as const)('asks a human in %s mode, with all to decide by', async (mode) => {
    const site = siteOf({ web1: { ...entry(sshd), hostKeyAlias: 'web-one' } });
    const asked = question(await roadOf(site, mode).call('web1'));
    expect(
      asked.message.replace(String(sshd.port), 'PORT').replace(sshd.hostKeyFingerprint, 'SHA256:…'),
    ).toMatchInlineSnapshot(`
      "Accept this SSH host key of web1 for good? Nobody vouches for it yet.
      address: 127.0.0.1:PORT (known_hosts: web-one)
      key: ssh-ed25519 SHA256:…
      Compare it on the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    `);
    expect(asked.message).toContain(sshd.hostKeyFingerprint);
    expect(existsSync(site.own)).toBe(false);
  });

  it('writes the key down after a yes, for this user alone, and then the host can be used', async () => {
    const site = siteOf({ web1: entry(sshd) });
    const mark = sshd.log().length;
    const done = await roadOf(site).answered('web1');
    expect(done).toEqual({
      kind: 'answer',
      answer: {
        headline: 'the key of web1 is accepted',
        facts: {
          host: 'web1',
          key: `ssh-ed25519 ${sshd.hostKeyFingerprint}`,
          known_as: `[127.0.0.1]:${sshd.port}`,
          file: site.own,
        },
      },
    });
    expect(sshd.log().slice(mark)).not.toMatch(/userauth-request|psm-bash/);
    expect(readFileSync(site.own, 'utf8')).toBe(`${sshd.hostKeyLine}\n`);
    expect(statSync(site.own).mode & 0o777).toBe(0o600);
    const ran = await bench.call('ssh_exec', { target: 'web1', script: 'echo in' }, { ssh: site.ssh });
    expect(ran.facts).toMatchObject({ stdout: { remote: 'in\n' } });
    expect(failure(await roadOf(site).call('web1'))).toEqual({
      kind: 'conflict',
      message: `ssh-ed25519 ${sshd.hostKeyFingerprint} (${site.own}:1) is known already as the SSH host key of web1 (127.0.0.1:${sshd.port}).`,
      hint: 'Nothing has to be done.',
    });
  });

  it('guarantee 20: writes nothing without a yes', async () => {
    const site = siteOf({ web1: entry(sshd) });
    const road = roadOf(site);
    const ticket = question(await road.call('web1')).ticket;
    const ends = [
      await road.answered('web1', { action: 'decline', confirmed: false }),
      await road.answered('web1', { action: 'cancel', confirmed: false }),
      await road.answered('web1', { confirmed: false }),
      await road.answered('web1', { ticket: { invalid: 'expired' } }),
      await road.call('web1', { canAsk: false }),
      await roadOf(site).call('web1', { reply: { action: 'accept', confirmed: true, ticket } }),
    ];
    expect(ends.map((end) => failure(end).kind)).toEqual(ends.map(() => 'refused'));
    expect(failure(await road.call('web1', { canAsk: false })).hint).toContain('proxmox-ssh-mcp trust HOST');
    await expect(
      toolNamed('ssh_host_trust').run({ host: 'web1' }, bench.context({ ssh: site.ssh })),
    ).rejects.toMatchObject({
      kind: 'refused',
      message: 'The key of web1 was shown to nobody.',
    });
    expect(existsSync(site.own)).toBe(false);
  });

  it('guarantee 20: is good for the key that was shown and no other', async () => {
    const site = siteOf({ web1: entry(sshd) });
    const road = roadOf(site);
    const { ticket } = question(await road.call('web1'));
    site.home.write('.config/proxmox-ssh-mcp/hosts.json', JSON.stringify({ hosts: { web1: entry(other) } }));
    const end = failure(await road.call('web1', { reply: { action: 'accept', confirmed: true, ticket } }));
    expect(end.message).toContain('What was shown has changed since the operator was asked.');
    expect(existsSync(site.own)).toBe(false);
  });

  it('guarantee 9: never accepts a changed key, tells both, and how the operator replaces it', async () => {
    const site = siteOf({ web1: entry(sshd) });
    site.know('# mine', `[127.0.0.1]:${sshd.port} ${keyOf(other)}`);
    const { kind, message, hint } = failure(await roadOf(site).call('web1'));
    expect(kind).toBe('untrusted');
    expect(message).toMatch(
      new RegExp(
        `^ssh-ed25519 .{50} was offered as the SSH host key of web1 \\(127.0.0.1:${sshd.port}\\), known is ssh-ed25519`,
      ),
    );
    for (const { hostKeyFingerprint } of [sshd, other]) expect(message).toContain(hostKeyFingerprint);
    expect(message).toMatch(/known_hosts:2\)/);
    expect(hint).toContain('proxmox-ssh-mcp trust web1 --replace');
    expect(existsSync(site.own)).toBe(false);
  });

  it('guarantee 9: never accepts a revoked key', async () => {
    const site = siteOf({ web1: entry(sshd) });
    site.know(`@revoked * ${keyOf(sshd)}`);
    expect(failure(await roadOf(site).call('web1'))).toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining('is marked @revoked'),
      hint: 'Give the host a new key. A revoked one is never accepted.',
    });
  });

  it('guarantee 9: checks the hops on the way as always', async () => {
    const site = siteOf({ gate: entry(other), inner: { ...entry(sshd), via: 'gate' } });
    expect(failure(await roadOf(site).call('inner'))).toMatchObject({
      kind: 'untrusted',
      message: expect.stringContaining(`The SSH host key of gate (127.0.0.1:${other.port}) is not known`),
    });
    site.know(other.hostKeyLine);
    expect(question(await roadOf(site).call('inner')).message).toContain('through gate');
    expect((await roadOf(site).answered('inner')).kind).toBe('answer');
    expect(readFileSync(site.own, 'utf8')).toBe(`${sshd.hostKeyLine}\n`);
  });

  it('takes a hop as failures name it, and says why a host does not answer', async () => {
    const site = siteOf({ web1: { address: '127.0.0.1', port: 1 } });
    const name = `web1:${sshd.port}`;
    expect((await roadOf(site).answered(name)).kind).toBe('answer');
    expect(readFileSync(site.own, 'utf8')).toBe(`${sshd.hostKeyLine}\n`);
    expect(failure(await roadOf(site).call('web1'))).toMatchObject({ kind: 'unreachable' });
    expect(failure(await roadOf(site).call('nosuch'))).toMatchObject({ kind: 'not-found' });
  });

  it('is not there in read-only mode', async () => {
    const site = siteOf({ web1: entry(sshd) });
    expect(failure(await roadOf(site, 'read-only').call('web1')).kind).toBe('refused');
  });
});
