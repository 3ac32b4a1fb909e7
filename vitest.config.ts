import { defineConfig } from 'vitest/config';

/**
 * Tests that hold the product to deadlines of a second or less, measure memory, look at all processes of the machine or
 * run hundreds of them: two files of these at once would measure each other.
 */
const alone = [
  'test/{e2e,mcp,rig,soak,ssh}/**/*.test.ts',
  'test/cli/cutoff.test.ts',
  'test/config/inventory.test.ts',
  'test/gate/hostile.test.ts',
  'test/present/{budget,spool}.test.ts',
  'test/pve/{client,cut,endpoints,faults,schema,task}.test.ts',
  'test/toolsets/{alarm,file-cut,job-detached,keyboard,server-status}.test.ts',
  'test/toolsets/ssh-{exec-many,host-metrics,job-read}.test.ts',
  'test/toolsets/{pve-api-call,vm-exec,vm-session}.test.ts',
];

export default defineConfig({
  test: {
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      reporter: ['text-summary', 'json-summary'],
      reportOnFailure: true,
      thresholds: { lines: 90 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
