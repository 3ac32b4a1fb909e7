import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../e2e/clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from '../e2e/datacentre.ts';
import { fromSource } from '../mcp/source.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD } from '../rig/users.ts';

const PASSPHRASE = 'pässphräse "of" a kéy';
const WRONG = "not the sudo password's word";

let dc: Datacentre;
let server: Sshd;

beforeAll(async () => {
  dc = await startDatacentre();
  const key = join(dc.dir, 'locked');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', PASSPHRASE, '-a', '2', '-C', '', '-f', key]);
  const authorizedKeys = [readFileSync(`${key}.pub`, 'utf8').trim()];
  server = await startSshd({ authorizedKeys, containers: { 101: 'running' }, extraConfig: ['LogLevel DEBUG3'] });
  writeFileSync(join(dc.dir, 'known'), `${server.hostKeyLine}\n`, { mode: 0o600 });
  await writePrivate(
    join(dc.dir, 'real.json'),
    JSON.stringify({
      hosts: {
        ash: { address: server.host, port: server.port, user: 'psm-ash' },
        stranger: { address: server.host, port: server.port, user: 'nobody-here' },
      },
    }),
  );
});
afterAll(async () => {
  await dc.stop();
  await server.stop();
});

const encodings: Record<string, (text: string) => string> = {
  plain: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64').replace(/=+$/, ''),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  percent: encodeURIComponent,
  json: (text) => JSON.stringify(text).slice(1, -1),
};

/** Says all that a command can find out about where it runs. */
const nosy = `env; cat /proc/self/environ /proc/$PPID/environ; cat /proc/[0-9]*/cmdline; ps -ef; cat; echo "$0 $*"; export -p; set`;

/** What the operator set: by one of these the host lets it in, by the other sudo does, or does not. */
const logins: Record<string, { readonly key: string; readonly secrets: Readonly<Record<string, string>> }> = {
  'a key with a passphrase, and a wrong sudo password': {
    key: 'locked',
    secrets: { SSH_KEY_PASSPHRASE: PASSPHRASE, SSH_SUDO_PASSWORD: WRONG },
  },
  'a password, and the right sudo password': {
    key: '',
    secrets: { SSH_PASSWORD: DASH_PASSWORD, SSH_SUDO_PASSWORD: DASH_PASSWORD },
  },
};

describe.each(Object.entries(logins))('guarantee 21: with a real sshd and %s', (_, { key, secrets }) => {
  it('no secret is in an answer, in progress, on stderr, in the audit, in a process list or in the log of the host', {
    timeout: 60_000,
  }, async () => {
    const settings = {
      MCP_MODE: 'trusted',
      MCP_INVENTORY_FILE: join(dc.dir, 'real.json'),
      SSH_HOST: server.host,
      SSH_PORT: String(server.port),
      SSH_USER: 'psm-dash',
      SSH_KNOWN_HOSTS: join(dc.dir, 'known'),
      SSH_KEY_PATH: key && join(dc.dir, key),
    };
    const client = await connect('v2-2026', await fromSource(dc, { ...settings, ...secrets }));
    const out: string[] = [];
    const call = async (name: string, args: Record<string, unknown>) => {
      const { text, facts } = await client.call(name, args, { onProgress: (message) => out.push(message) });
      out.push(text, JSON.stringify(facts));
    };
    await call('ssh_exec', { target: 'pve1', script: nosy });
    await call('ssh_sudo_exec', { target: 'pve1', script: `sleep 0.7\n${nosy}`, stdin: 'mine' });
    await call('ssh_sudo_exec', { target: 'ash', script: nosy });
    await call('pct_exec', { vmid: 101, script: nosy });
    await call('ssh_sudo_exec', { target: 'pve1', script: `${nosy}; sleep 60`, timeout_s: 1 });
    await call('ssh_exec', { target: 'stranger', script: 'true' });
    for (const secret of Object.values(secrets)) {
      await call('ssh_exec', { target: 'pve1', script: `echo '${secret.replaceAll("'", "'\\''")}'; exit 9` });
    }
    const process = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${client.pid}/${name}`, 'utf8')).join();
    const [answers, stderr, audit, log] = [out.join('\n'), client.stderr(), await dc.audit(), server.log()];
    await client.close();
    expect(answers).toContain('PSM_RUN=');
    expect(answers).toContain('[secret removed]');
    const leaks = Object.entries(secrets).flatMap(([name, secret]) =>
      Object.entries(encodings).flatMap(([encoding, encode]) =>
        Object.entries({ answers, stderr, audit, log, process })
          .filter(([, text]) => text.includes(encode(secret)))
          .map(([place]) => `${name} in ${encoding} in ${place}`),
      ),
    );
    expect(leaks).toEqual([]);
  });
});
