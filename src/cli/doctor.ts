import { connectionOf, hostsOf, pvesOf } from '../clients.ts';
import type { Cluster } from '../config/clusters.ts';
import type { Loaded } from '../config/load.ts';
import { asciiJson } from '../log/json.ts';
import { createRedact } from '../present/redact.ts';
import { createPool } from '../ssh/pool.ts';
import { createSsh } from '../ssh/run.ts';
import { reaches } from '../toolsets/tool.ts';
import type { Check, Checks } from './check.ts';
import { apiChecks } from './check-api.ts';
import { localChecks } from './check-local.ts';
import { sshChecks } from './check-ssh.ts';
import { type Flags, ground, loadHere } from './surroundings.ts';
import { mark, say } from './terminal.ts';
import { webhookChecks } from './webhook.ts';

const API_PATIENCE_MS = 10_000;

const MARKS = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
} as const;

/** Checks all that the server needs, tells it line by line, and exits with 1 when something failed. */
export async function doctor(flags: Flags, json: boolean): Promise<void> {
  if (!(await checkAll(flags, json))) process.exitCode = 1;
}

/** The same without the exit status: whether nothing failed. */
export async function checkAll(flags: Flags, json = false): Promise<boolean> {
  const loaded = loadHere(flags);
  const redact = createRedact(loaded.secrets);
  const checks: Check[] = [];
  for await (const { name, state, says, cure } of allChecks(loaded)) {
    const check = { name, state, says: redact(says), cure: cure && redact(cure) };
    checks.push(check);
    if (!json) print(check);
  }
  const ok = checks.every(({ state }) => state !== 'failed');
  if (json) say(asciiJson({ ok, checks }, 2));
  return ok;
}

async function* allChecks(loaded: Loaded): Checks {
  const patience = { timeoutMs: API_PATIENCE_MS, readOnly: true };
  const pves = pvesOf(loaded, () => patience);
  const options = connectionOf(loaded);
  const ssh = createSsh(createPool(options));
  const hosts = hostsOf(loaded, pves, ground());
  const { toolsets } = loaded.settings;
  try {
    yield* localChecks(loaded, hosts);
    for (const [i, cluster] of loaded.clusters.entries()) {
      const pve = pves[i];
      if (pve && reaches(toolsets, 'pve')) yield* named(apiChecks(loaded, cluster, pve, patience), cluster, loaded);
    }
    if (reaches(toolsets, 'ssh')) yield* sshChecks(loaded, hosts, options, ssh);
    yield* webhookChecks(loaded, hosts);
  } finally {
    await Promise.allSettled([...pves.map((pve) => pve.close()), ssh.close()]);
  }
}

/** Each check says which cluster it is of, where there are several. */
async function* named(checks: Checks, { name }: Cluster, { clusters }: Loaded): Checks {
  for await (const check of checks) yield clusters.length > 1 ? { ...check, name: `${name}: ${check.name}` } : check;
}

function print({ name, state, says, cure }: Check): void {
  const [sign, colour] = MARKS[state];
  mark(sign, colour);
  // Set off, so that no line of what others said can pass for a check.
  say(` ${name}: ${[says, ...(cure ? [cure] : [])].join('\n').replaceAll('\n', '\n    ')}`);
}
