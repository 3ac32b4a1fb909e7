import fc from 'fast-check';
import { aroundEach } from 'vitest';
import { running } from './figures.ts';

// The same inputs in every run, so that a change is judged by what it changes. FC_SEED=… tries others.
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_261_120) });

aroundEach((test, { task }) => running.run(task, test));
