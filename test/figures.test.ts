import { setImmediate as turn } from 'node:timers/promises';
import { describe } from 'vitest';
import { figure } from './figures.ts';

describe.concurrent('a figure belongs to the test that told it, whatever runs beside it:', (it) => {
  for (const text of ['first', 'second', 'third'])
    it(text, async ({ task, expect }) => {
      await turn();
      figure(0, `${text} figure`);
      await turn();
      figure(0, 'and another');
      expect(task.meta.figures?.map((one) => one.text)).toEqual([`${text} figure`, 'and another']);
    });
});
