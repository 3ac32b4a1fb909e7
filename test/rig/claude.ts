import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/claude-code');
const QUIET = ['--no-save', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--ignore-scripts=false'];

/** A folder with the newest Claude Code as `claude`, fetched once and kept below node_modules. */
export async function claudeCode(): Promise<string> {
  const programs = join(cache, 'claude/node_modules/.bin');
  if (existsSync(join(programs, 'claude'))) return programs;
  mkdirSync(resolve(cache, '..'), { recursive: true });
  const draft = mkdtempSync(`${cache}-`);
  // It asks for a newer Node.js than the oldest that we run on.
  await run('npm', ['install', '--prefix', join(draft, 'node'), ...QUIET, 'node@24']);
  const env = { ...process.env, PATH: `${join(draft, 'node/node_modules/.bin')}:${process.env.PATH}` };
  const name = '@anthropic-ai/claude-code@latest';
  await run('npm', ['install', '--prefix', join(draft, 'claude'), ...QUIET, name], { env });
  try {
    renameSync(draft, cache);
  } catch {
    // Another test was faster.
    rmSync(draft, { recursive: true, force: true });
  }
  return programs;
}

/** What keeps it from the network: its own switches, and a proxy that is not there. */
export const OFFLINE: Readonly<Record<string, string>> = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  DISABLE_TELEMETRY: '1',
  DISABLE_ERROR_REPORTING: '1',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
};
