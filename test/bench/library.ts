import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';
import { HOST, type Lab, USER } from './lab.ts';
import { newWord, type Road, untilWord, type Way } from './road.ts';

/** Our SSH without a server around it. */
export async function library({ sshd, knownHosts, folder }: Lab): Promise<Way> {
  const host: HostSpec = {
    name: HOST,
    address: sshd.host,
    port: sshd.port,
    user: USER,
    keyPath: sshd.clientKeyPath,
  };
  const known = { knownHosts: [knownHosts], ownKnownHosts: join(folder, 'own_known_hosts') };
  const built = join(folder, 'first-library.mjs');
  // So that the built file finds its packages.
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
  const entryPoints = [join(import.meta.dirname, 'first-library.ts')];
  await build({ entryPoints, outfile: built, bundle: true, packages: 'external', format: 'esm', platform: 'node' });
  return {
    name: 'ours as a library',
    async open(): Promise<Road> {
      const ssh = createSsh(createPool(known));
      return {
        async echo(word) {
          const { exitCode, stdout } = await ssh.run(host, { script: `echo ${word}`, timeoutMs: 60_000 });
          return exitCode === 0 && stdout.text === `${word}\n`;
        },
        close: () => ssh.close(),
      };
    },
    async first() {
      const word = newWord();
      return untilWord(process.execPath, [built, JSON.stringify({ host, known, word })], word);
    },
  };
}
