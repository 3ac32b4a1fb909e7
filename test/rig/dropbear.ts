import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type KeyedServer, newKey } from './sshd.ts';
import { asRoot, makeUsers, runAsRoot, USERS } from './users.ts';

const PROGRAM = '/usr/sbin/dropbear';

/** Whether Dropbear is installed; not every system has a package of it. */
export const hasDropbear = (): boolean => existsSync(PROGRAM);

export interface Dropbear extends KeyedServer {
  /** What it logged so far. */
  log(): string;
  stop(): Promise<void>;
}

// Dropbear reads the keys of a user in no other place.
const AUTHORIZE = `set -eu
key=$(cat)
for user in ${USERS.join(' ')}; do
  folder=$(getent passwd $user | cut -d: -f6)/.ssh
  mkdir -p -m 700 "$folder"
  printf '%s\\n' "$key" >>"$folder/authorized_keys"
  chown -R $user: "$folder"
done
`;

const FORGET = `for user in ${USERS.join(' ')}; do
  sed -i "/ $1$/d" "$(getent passwd $user | cut -d: -f6)/.ssh/authorized_keys"
done
`;

/** Starts Dropbear on 127.0.0.1, for the test users, with keys of its own. */
export async function startDropbear(): Promise<Dropbear> {
  makeUsers();
  const folder = mkdtempSync(join(tmpdir(), 'psm-dropbear-'));
  chmodSync(folder, 0o755);
  const clientKeyPath = newKey(folder, 'client');
  const name = folder.split('/').at(-1) ?? '';
  const publicKey = readFileSync(`${clientKeyPath}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  runAsRoot(['flock', '/etc', 'sh', '-c', AUTHORIZE], `${publicKey} ${name}`);
  const hostKeyPath = join(folder, 'host');
  const printed = runAsRoot(['dropbearkey', '-t', 'ed25519', '-f', hostKeyPath]);
  const port = await freePort();
  const argv = asRoot([PROGRAM, '-F', '-E', '-r', hostKeyPath, '-p', `127.0.0.1:${port}`, '-P', join(folder, 'pid')]);
  const server = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const over = once(server, 'exit');
  while (!log.includes('Not backgrounding')) await Promise.race([once(server.stderr, 'data'), over]);
  return {
    host: '127.0.0.1',
    port,
    folder,
    hostKeyLine: `[127.0.0.1]:${port} ${/^ssh-ed25519 \S+/m.exec(printed)?.[0]}`,
    clientKeyPath,
    log: () => log,
    async stop() {
      server.kill();
      await over;
      runAsRoot(['flock', '/etc', 'sh', '-c', FORGET, 'sh', name]);
      runAsRoot(['rm', '-rf', folder]);
    },
  };
}
