import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPool } from '../../src/ssh/pool.ts';
import { figure } from '../figures.ts';
import { hostOf, lines, logins, newFile, numbers, run, text, withSshd } from './commands.ts';

describe('guarantee 8: rekeying every 1 MiB', () => {
  it(
    'under 6 parallel streams, down and up, is byte-exact; the host key is checked and written once',
    { timeout: 60_000 },
    () =>
      withSshd({ extraConfig: ['RekeyLimit 1M', 'LogLevel DEBUG1'] }, async (server) => {
        const ownKnownHosts = newFile();
        const pool = createPool({ knownHosts: [], ownKnownHosts, acceptNew: true });
        expect(await text(run(pool, hostOf(server), 'echo connected'))).toBe('connected\n');
        expect(lines(ownKnownHosts)).toHaveLength(1);
        // From here on another check would not know the host, and another acceptance would write the file again.
        rmSync(ownKnownHosts);
        const size = 24_000_000;
        const bytes = (i: number) => Buffer.alloc(size, `stream ${i} of six `);
        const sha = (data: Buffer) => createHash('sha256').update(data).digest('hex');
        const down = numbers(3).map(async (i) => {
          const { out } = await run(pool, hostOf(server), `yes 'stream ${i} of six ' | tr -d '\\n' | head -c ${size}`);
          expect(sha(out)).toBe(sha(bytes(i)));
        });
        const up = numbers(3).map(async (i) => {
          const printed = await text(run(pool, hostOf(server), 'sha256sum', {}, bytes(i).toString()));
          expect(printed.slice(0, 64)).toBe(sha(bytes(i)));
        });
        await Promise.all([...down, ...up]);
        const rekeyings = server.log().match(/rekeying/g)?.length ?? 0;
        expect(rekeyings).toBeGreaterThan(100);
        figure(8, `6 streams of ${size / 1e6} MB, ${rekeyings} rekeyings, ${logins(server)} login`);
        expect(logins(server)).toBe(1);
        expect(existsSync(ownKnownHosts)).toBe(false);
        await pool.close();
      }),
  );
});
