import { defineConfig } from 'vitest/config';

/**
 * Tests that hold the product to deadlines of a second or less, measure memory, look at all processes of the machine or
 * run hundreds of them: two files of these at once would measure each other.
 */
const alone = [
  'test/cli/cutoff.test.ts',
  'test/config/inventory.test.ts',
  'test/e2e/{flood,*shutdown}.test.ts',
  'test/gate/hostile.test.ts',
  'test/mcp/{protocol,stdio}.test.ts',
  'test/present/{budget,spool}.test.ts',
  'test/pve/{client,cut,endpoints,faults,schema,task*}.test.ts',
  'test/{rig,soak}/*.test.ts',
  'test/ssh/{capture,connect,cut,dropbear,ending,hunt,jobs,kill,limits,loss,nat,network,onepiece,pool*}.test.ts',
  'test/ssh/{rekey,run,session-stop,sessions*,silence,streams,sudo}.test.ts',
  'test/toolsets/{alarm,file-cut,job-detached,keyboard,pve-api-call,server-status,ssh-exec-many}.test.ts',
];

/** They look at the very files that are shipped, or at each system call of a start: a build that counts is another one. */
const uncounted = process.env.COUNTING ? ['test/e2e/pack.test.ts', 'test/cli/cutoff.test.ts'] : [];

export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['json'], reportOnFailure: true },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, ...uncounted],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, exclude: uncounted, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
