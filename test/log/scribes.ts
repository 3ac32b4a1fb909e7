import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { type HeadPlace, headPlace } from '../../src/log/head.ts';

/** Where an audit of a test is. */
export interface Desk {
  readonly dir: string;
  readonly file: string;
  readonly heads: string;
  readonly place: HeadPlace;
}

export async function newDesk(): Promise<Desk> {
  const dir = await mkdtemp(join(tmpdir(), 'psm-log-'));
  const file = join(dir, 'state', 'audit.jsonl');
  const heads = join(dir, 'config');
  return { dir, file, heads, place: headPlace(heads, file) };
}

/** The program that writes an audit, in one file that starts at once. */
export async function scribeProgram(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'psm-scribe-'));
  const outfile = join(dir, 'scribe.mjs');
  const entryPoints = [resolve(import.meta.dirname, 'scribe.ts')];
  await build({ entryPoints, outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20' });
  return outfile;
}

export interface Work {
  readonly maxBytes?: number;
  readonly keepDays?: number;
  /** 0: until it is killed. */
  readonly calls: number;
  readonly seed: number;
}

/** Starts one that writes at this desk. */
export function startScribe(program: string, { file, heads }: Desk, work: Work): ChildProcess {
  const { maxBytes = 2 ** 40, keepDays = 0, calls, seed } = work;
  return spawn(process.execPath, [program, file, heads, ...[maxBytes, keepDays, calls, seed].map(String)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

export const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};
