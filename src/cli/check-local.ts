import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Inventory } from '../config/inventory.ts';
import type { Loaded } from '../config/load.ts';
import { rotatedOf } from '../log/files.ts';
import { headPlace, readHead, readKey } from '../log/head.ts';
import { clients, type Entry } from '../setup/clients.ts';
import { entryIn, oursIn } from '../setup/registration.ts';
import { type Check, type Checks, failed, failure, ok, warning } from './check.ts';
import { around } from './register.ts';
import { version } from './surroundings.ts';

/** The settings file, everything wrong with the settings, and the audit file. */
export async function* localChecks(loaded: Loaded, inventory: Inventory): Checks {
  const { settings, settingsFile, defaultFile, problems } = loaded;
  yield ok(
    'versions',
    `proxmox-ssh-mcp ${version}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}`,
  );
  if (settingsFile) yield ok('settings', `${settingsFile}, readable for this user alone`);
  else if (problems.length === 0) yield ok('settings', `flags and environment; there is no ${defaultFile}`);
  else yield warning('settings', 'No settings file is read.', `It would be ${defaultFile}; .env.example is a start.`);
  for (const { cause, cure, blocks } of problems) {
    yield blocks ? failed('settings', cause, cure) : warning('settings', cause, cure);
  }
  for (const { cause, cure } of inventory.problems()) yield warning('inventory', cause, cure);
  yield auditCheck(settings.auditFile, loaded.auditHeads);
  yield* modeChecks(loaded);
  yield* registrationChecks(settingsFile ?? defaultFile);
}

/** Files that others can write to, or read where that is enough to do harm. */
function* modeChecks({ settings, ownKnownHosts }: Loaded): Generator<Check> {
  if (process.platform === 'win32') return;
  const { sshKeyPath, auditFile, inventoryFile } = settings;
  for (const file of [sshKeyPath, auditFile, inventoryFile, ownKnownHosts]) {
    const mode = file && modeOf(file);
    if (!mode || (mode & (file === sshKeyPath ? 0o077 : 0o022)) === 0) continue;
    const says = `${file} is open to other users (mode ${(mode & 0o777).toString(8)}).`;
    yield warning('file modes', says, `Run: chmod 600 ${file}`);
  }
}

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode;
  } catch {
    // Whether it can be used at all is the question of another check.
    return undefined;
  }
}

/** What Claude Code will start, when it has been told. */
function* registrationChecks(settingsFile: string): Generator<Check> {
  const client = 'claude-code';
  const file = clients[client].file(around());
  const name = 'Claude Code';
  try {
    const [ours] = oursIn(client, file);
    if (ours === undefined) {
      yield warning(name, `It is not registered in ${file}.`, 'Run: proxmox-ssh-mcp register');
      return;
    }
    const { command, args = [] } = entryIn(client, file, ours) as Entry;
    const missing = [command, args[0] ?? command].find((path) => path.startsWith('/') && !existsSync(path));
    const at = args.indexOf('--settings-file');
    const other = at >= 0 && args[at + 1] !== settingsFile ? `, with the settings ${args[at + 1]}` : '';
    if (missing) yield failed(name, `It starts ${missing}, which is not there.`, 'Run: proxmox-ssh-mcp register');
    else yield ok(name, `registered as ${ours} in ${file}${other}`);
  } catch (error) {
    yield failure(name, error);
  }
}

/** Opens it as the server would, which makes it where there is none, and looks whether its head is one of ours. */
function auditCheck(file: string, heads: string): Check {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  } catch (error) {
    const says = `${file} cannot be written (${(error as Error).message}), so nothing will be changed.`;
    return failed('audit file', says, 'Make it writable for this user, or set MCP_AUDIT_FILE to another file.');
  }
  const { size } = statSync(file);
  const older = rotatedOf(file).length;
  if (size === 0 && older === 0) return ok('audit file', `${file} can be written`);
  const beside = older > 0 ? `, beside ${older} older files` : '';
  const says = `${file} can be written; it has ${(size / 1024 ** 2).toFixed(1)} MiB${beside}`;
  try {
    const place = headPlace(heads, file);
    const key = readKey(place);
    if (key && readHead(place, key)) return ok('audit file', `${says}; its head is sound`);
    return warning('audit file', `${says}. Its head or its key is not there.`, 'Run: proxmox-ssh-mcp log verify');
  } catch (error) {
    return failure('audit file', error);
  }
}
