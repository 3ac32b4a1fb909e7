import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Inventory } from '../config/inventory.ts';
import type { Loaded } from '../config/load.ts';
import { type Check, type Checks, failed, ok, warning } from './check.ts';

/** The settings file, everything wrong with the settings, and the audit file. */
export async function* localChecks(loaded: Loaded, inventory: Inventory): Checks {
  const { settings, settingsFile, defaultFile, problems } = loaded;
  if (settingsFile) yield ok('settings', `${settingsFile}, readable for this user alone`);
  else if (problems.length === 0) yield ok('settings', `flags and environment; there is no ${defaultFile}`);
  else yield warning('settings', 'No settings file is read.', `It would be ${defaultFile}; .env.example is a start.`);
  for (const { cause, cure, blocks } of problems) {
    yield blocks ? failed('settings', cause, cure) : warning('settings', cause, cure);
  }
  for (const { cause, cure } of inventory.problems()) yield warning('inventory', cause, cure);
  yield auditCheck(settings.auditFile);
}

/** Opens it as the server would, which makes it where there is none. */
function auditCheck(file: string): Check {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    return ok('audit file', `${file} can be written`);
  } catch (error) {
    const says = `${file} cannot be written (${(error as Error).message}), so nothing will be changed.`;
    return failed('audit file', says, 'Make it writable for this user, or set MCP_AUDIT_FILE to another file.');
  }
}
