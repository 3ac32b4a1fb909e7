import { join } from 'node:path';
import { Approvals } from './approvals.ts';
import { hooksOf, hostsOf } from './clients.ts';
import { blockedBy, clustersOf, guardedPves } from './clusters.ts';
import type { HostsAround } from './config/inventory.ts';
import type { Loaded } from './config/load.ts';
import { asFailure, Failure } from './failure.ts';
import { type Audit, createAudit } from './gate/audit.ts';
import { createChoosing } from './gate/clusters.ts';
import { createConfirmation } from './gate/confirm.ts';
import { createGate } from './gate/dispatch.ts';
import { createRegistry } from './gate/registry.ts';
import { createTerminal, type Terminal } from './gate/terminal.ts';
import { createHooks } from './hooks/hooks.ts';
import { recentCalls } from './log/recent.ts';
import { createAsker } from './mcp/asker.ts';
import type { Place } from './mcp/http/place.ts';
import type { ServerParts } from './mcp/lifetime.ts';
import { serveOverStdio } from './mcp/stdio.ts';
import { saveFilesIn } from './present/exports.ts';
import { saveInto } from './present/outputs.ts';
import { createPresent } from './present/present.ts';
import { createRedaction, type Redact } from './present/redact.ts';
import { keepSecretsIn } from './present/secrets.ts';
import { keepOutputsIn } from './present/spool.ts';
import type { Secret } from './secret.ts';
import { shellSide } from './shell.ts';
import { core } from './toolsets/core.ts';
import { namesOf } from './toolsets/names.ts';
import type { ToolContext } from './toolsets/tool.ts';

/** What the process is on: its own version, and the files that hosts are known from. */
export interface Ground extends Omit<HostsAround, 'nodes'> {
  readonly version: string;
  /** A line for the operator, in the log of the server. */
  readonly warn?: (text: string) => void;
  /** The user, where files have an owner. */
  readonly uid?: number;
  /** How the program is called, as it can be typed. */
  readonly calledAs?: () => string;
}

/** Asking in another terminal, where that is wished; why it cannot be done where it cannot. */
function terminalOf({ settings, approvals }: Loaded, ground: Ground, redact: Redact): Terminal | Failure | undefined {
  if (!settings.approveInTerminal) return undefined;
  try {
    const files = new Approvals(approvals, [settings.transferDir, settings.outputDir], ground.uid);
    const calledAs = ground.calledAs?.() ?? 'proxmox-ssh-mcp';
    return createTerminal(files, { ttlMs: settings.confirmTimeoutS * 1000, redact, calledAs });
  } catch (error) {
    return asFailure(error);
  }
}

const MIB = 1024 * 1024;

const auditOf = ({ settings, auditHeads }: Loaded, redact: Redact): Audit =>
  createAudit({
    file: settings.auditFile,
    headFolder: auditHeads,
    redact,
    maxBytes: settings.auditMaxMib * MIB,
    keepDays: settings.auditKeepDays,
  });

/** A usual start has no use for the rest, and reading it takes time. */
const allTools = async () => (await import('./toolsets/index.ts')).tools;

/** What audit://recent shows. */
const RECENT_CALLS = 100;

/** Everything the process is made of, from what was loaded; nothing is connected yet. */
export async function assemble(loaded: Loaded, ground: Ground): Promise<ServerParts> {
  const { settings } = loaded;
  const pves = guardedPves(loaded);
  const redaction = createRedaction(loaded.secrets);
  const { redact, hold } = redaction;
  const keep = keepOutputsIn(settings.outputDir, redaction);
  const hosts = hostsOf(loaded, pves, ground);
  const hooks = createHooks({ ...hooksOf(loaded, hosts, { redact, ...ground }), uid: ground.uid });
  const onConnection = hooks.connection;
  const blocked = blockedBy(loaded, 'ssh');
  const { shell, sessions, endJobs, ...ssh } = shellSide(loaded, { hosts, keep, onConnection, blocked });
  const terminal = terminalOf(loaded, ground, redact);
  const unasked = terminal instanceof Failure ? [{ cause: terminal.message, cure: terminal.hint }] : [];
  const said = { version: ground.version, problems: [...hosts.problems(), ...unasked] };
  const [main, ...others] = clustersOf(loaded, pves, said);
  const { setup } = main;
  const keepSecret = keepSecretsIn(join(settings.outputDir, 'secrets'), hold);
  const saveFile = saveFilesIn(join(settings.outputDir, 'exports'));
  const audit = auditOf(loaded, redact);
  const tools = settings.toolsets.every((one) => one === 'core') ? core : await allTools();
  const registry = createRegistry(tools, setup, allTools);
  const clusters = others.length > 0 ? [main, ...others] : undefined;
  const context = (signal: AbortSignal, progress: ToolContext['progress'], cluster?: string): ToolContext => {
    const { pve, schema, setup } = clusters?.find(({ name }) => name === cluster) ?? main;
    const ssh = shell({ signal, progress }, cluster, setup.mode);
    const all = cluster === undefined ? clusters : undefined;
    return { pve, schema, setup, ssh, cluster, clusters: all, keepSecret, saveFile, signal, progress };
  };
  const confirmTimeoutMs = settings.confirmTimeoutS * 1000;
  const gate = createGate({
    registry,
    audit,
    setup,
    confirmation: createConfirmation(confirmTimeoutMs, redact),
    terminal,
    choose: clusters && createChoosing({ clusters, hosts, sessions }),
    context,
  });
  const present = createPresent({
    redact,
    budget: settings.answerChars,
    save: saveInto(settings.outputDir, keep.busy),
  });
  const close = async (): Promise<void> => {
    if (!(terminal instanceof Failure)) terminal?.close();
    await Promise.allSettled([ssh.close(), ...pves.map((pve) => pve.close()), audit.close(), hooks.close()]);
  };
  const names = namesOf(clusters ?? [{ pve: main.pve }], hosts);
  const recent = () => recentCalls(settings.auditFile, RECENT_CALLS);
  return {
    gate: hooks.watch(gate, registry),
    registry,
    present,
    setup,
    names,
    recent,
    asker: createAsker(confirmTimeoutMs),
    confirmTimeoutMs,
    endJobs,
    close,
  };
}

/** Serves MCP over this process's stdio until its client is gone. */
export const startServer = async (loaded: Loaded, ground: Ground): Promise<void> =>
  serveOverStdio(await assemble(loaded, ground));

/** Serves MCP over HTTP until the process is told to end; gives the URL. */
export const startHttp = async (loaded: Loaded, ground: Ground, place: Place, token: Secret): Promise<string> => {
  const { serveOverHttp } = await import('./mcp/http.ts');
  const parts = await assemble({ ...loaded, secrets: [...loaded.secrets, token] }, ground);
  return serveOverHttp(parts, place, token.reveal());
};
