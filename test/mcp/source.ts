import { resolve } from 'node:path';
import type { Launch } from '../e2e/clients.ts';
import type { Datacentre } from '../e2e/datacentre.ts';

const root = resolve(import.meta.dirname, '../..');

/** How to start our server from its sources, so that no build has to be there; `before` is loaded first. */
export async function fromSource(
  dc: Datacentre,
  settings: Readonly<Record<string, string>> = {},
  before?: string,
): Promise<Launch> {
  const { args, env } = await dc.launch(settings);
  const preload = before === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(before)}`];
  const loader = ['--import', resolve(root, 'node_modules/tsx/dist/loader.mjs')];
  const main = resolve(root, 'src/cli/main.ts');
  return { command: process.execPath, args: [...preload, ...loader, main, ...args.slice(1)], env };
}
