import { join } from 'node:path';
import type { Launch } from '../e2e/clients.ts';
import { initialize, startRaw } from '../e2e/raw.ts';
import { mostTokens, weigh } from '../tokens.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

/** Start of the process to the reply that lists all tools, in ms. */
async function startUp(launch: Launch): Promise<number> {
  const raw = startRaw(launch);
  const took = await timed(async () => {
    await initialize(raw);
    await raw.request('tools/list');
  });
  raw.child.stdin?.end();
  await raw.gone;
  return took;
}

/** Our server's start, beside that of the smallest one of the same SDK. */
export async function start(launch: Launch): Promise<Row[]> {
  const hello = { command: process.execPath, args: [join(import.meta.dirname, 'hello.mjs')], env: launch.env };
  const { ours, theirs } = await byTurns(15, {
    ours: { work: () => startUp(launch) },
    theirs: { work: () => startUp(hello) },
  });
  return [compared({ what: 'start to all tools listed', ours, theirs, beside: 'hello-world server', most: 1.1 })];
}

/** What the lists of tools take of a model's context. */
export const lists = (): Row[] =>
  (['core', 'full'] as const).map((choice) => {
    const { tools, tokens } = weigh(choice);
    const wanted = `at most ${mostTokens[choice]}`;
    return { what: `${choice}: ${tools} tools`, ours: `${tokens} tokens`, wanted, met: tokens <= mostTokens[choice] };
  });
