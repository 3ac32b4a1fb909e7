import { defineConfig } from 'vitest/config';
import type { Reporter, Vitest } from 'vitest/node';

let vitest: Vitest | undefined;

/** A file that fails before its first test has none that fail: Stryker would take it for one that noticed nothing. */
const failedFiles: Reporter = {
  onInit: (made) => {
    vitest = made;
  },
  onTestModuleEnd: (file) => {
    for (const error of file.errors()) vitest?.state.errorsSet.add(error);
  },
};

/** For `npm run test:mutation`, which names the tests. */
export default defineConfig({
  test: {
    include: process.env.MUTATION_TESTS?.split(','),
    setupFiles: ['test/setup.ts', 'test/mutation-setup.ts'],
    isolate: false,
    // For a busy machine: changes that never end are ended sooner, by Stryker.
    testTimeout: 30_000,
    reporters: [failedFiles],
  },
});
