// The first command of a process with nothing but our SSH: JSON of the host, the known_hosts files and a word.
import type { HostSpec } from '../../src/ssh/client.ts';
import { createPool, type PoolOptions } from '../../src/ssh/pool.ts';
import { createSsh } from '../../src/ssh/run.ts';

interface Wanted {
  readonly host: HostSpec;
  readonly known: PoolOptions;
  readonly word: string;
}

const { host, known, word } = JSON.parse(process.argv[2] ?? '') as Wanted;
const ssh = createSsh(createPool(known));
const { stdout } = await ssh.run(host, { script: `echo ${word}`, timeoutMs: 60_000 });
process.stdout.write(stdout.text);
await ssh.close();
