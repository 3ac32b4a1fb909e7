import { renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { assemble } from '../app.ts';
import { asFailure, Failure } from '../failure.ts';
import { filledPage } from '../pages/page.ts';
import { saveFilesIn } from '../present/exports.ts';
import { writeNewFile } from '../present/newfile.ts';
import { openInBrowser } from './browser.ts';
import { type Flags, ground, loadHere, version } from './surroundings.ts';
import { say, warn } from './terminal.ts';

export interface DashboardOptions {
  readonly open?: true;
  readonly output?: string;
}

/** Writes the datacentre as it is now into one HTML file, says where it is, and opens it when that is wished. */
export async function dashboard(flags: Flags, { open, output }: DashboardOptions): Promise<void> {
  const loaded = loadHere(flags);
  for (const { cause, cure } of loaded.problems) warn(`${cause} ${cure}`);
  const { gate, present, close } = await assemble(loaded, { version, ...ground() });
  try {
    const outcome = await gate({
      tool: 'pve_dashboard',
      args: {},
      client: 'terminal',
      canAsk: false,
      unlisted: true,
      signal: new AbortController().signal,
      progress: () => undefined,
    });
    if (outcome.kind === 'question') throw new Error('A look was asked about.');
    if (outcome.kind === 'failure') throw outcome.failure;
    const { structured } = await present.answer(outcome.answer);
    const page = await filledPage('dashboard', structured);
    const save = saveFilesIn(join(loaded.settings.outputDir, 'exports'));
    const file = output === undefined ? await save('dashboard.html', page) : await writeAt(resolve(output), page);
    say(file);
    if (open) await openInBrowser(file);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  } finally {
    await close();
  }
}

/** Writes the page there; a link that somebody put there is replaced, not followed. */
async function writeAt(file: string, page: string): Promise<string> {
  let written: string | undefined;
  try {
    written = await writeNewFile(dirname(file), 'dashboard.html', page);
    renameSync(written, file);
    return file;
  } catch (cause) {
    if (written !== undefined) rmSync(written, { force: true });
    const text = `${file} could not be written: ${(cause as Error).message}.`;
    throw new Failure('misconfigured', text, 'It is as it was. Name another file to --output.', { cause });
  }
}
