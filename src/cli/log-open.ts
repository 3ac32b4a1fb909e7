import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { AuditCall } from '../log/calls.ts';
import { filterOf, type Wanted } from '../log/filter.ts';
import { auditCalls } from '../log/read.ts';
import { filledPage } from '../pages/page.ts';
import { saveFilesIn } from '../present/exports.ts';
import { openInBrowser } from './browser.ts';
import { brokenLines, telling } from './log.ts';
import { loadHere } from './surroundings.ts';
import { say, warn } from './terminal.ts';

/** What a browser shows without a stutter. */
const MOST = 100_000;

/** Writes the newest calls, up to 100,000, as a page that stands alone, says where it is, and opens it. */
export const logOpen = (flags: Wanted & { readonly settingsFile?: string }): Promise<void> =>
  telling(flags.settingsFile, async ({ audit }) => {
    const matches = filterOf(flags, Date.now());
    accessSync(audit, constants.R_OK);
    const broken = brokenLines();
    let calls: AuditCall[] = [];
    let left = 0;
    for await (const call of auditCalls(audit, broken.seen)) {
      if (!matches(call)) continue;
      calls.push(call);
      if (calls.length < 2 * MOST) continue;
      left += calls.length - MOST;
      calls = calls.slice(-MOST);
    }
    left += Math.max(0, calls.length - MOST);
    if (left > 0) warn(`${left} older calls are left out; --since and --until choose others.`);
    const page = await filledPage('log', { file: audit, calls: calls.slice(-MOST) });
    const { outputDir } = loadHere({ settingsFile: flags.settingsFile }).settings;
    const file = await saveFilesIn(join(outputDir, 'exports'))('log.html', page);
    broken.tell();
    say(file);
    await openInBrowser(file);
  });
