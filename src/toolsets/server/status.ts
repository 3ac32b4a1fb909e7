import { z } from 'zod';
import { asFailure } from '../../failure.ts';
import { answer, type Fact, type Facts } from '../../present/answer.ts';
import { text } from '../../pve/fields.ts';
import { path } from '../../pve/path.ts';
import { count, elapsed } from '../format.ts';
import { defineServerTool, type KnownHost, reaches, type ToolContext } from '../tool.ts';

const API_PATIENCE_MS = 6000;
const SSH_PATIENCE_MS = 8000;
/** Listing the hosts asks the API, which may be slow itself. */
const HOSTS_PATIENCE_MS = API_PATIENCE_MS + SSH_PATIENCE_MS;
const HOSTS_CHECKED = 5;

/** What a check says, within its time and whatever happens; a check that is late is told to give up. */
async function inTime(
  check: (signal: AbortSignal) => Promise<Facts>,
  patienceMs: number,
  signal: AbortSignal,
): Promise<Facts> {
  const over = new AbortController();
  const late = new Promise<Facts>((done) => {
    const cause = `Nothing was heard for ${elapsed(patienceMs)}.`;
    const cure = 'Check that it is up and that the network lets it through.';
    const timer = setTimeout(done, patienceMs, { state: 'no answer', cause, cure });
    over.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const failed = (error: unknown): Facts => {
    const { kind, message, hint } = asFailure(error);
    return { state: kind, cause: message, cure: hint };
  };
  const facts = await Promise.race([check(AbortSignal.any([signal, over.signal])).catch(failed), late]);
  over.abort();
  return facts;
}

async function checkApi({ pve, setup }: ApiOf, signal: AbortSignal): Promise<Facts> {
  const began = performance.now();
  const { version } = await pve.get(path`/version`, z.object({ version: text }), {}, { signal });
  const took = elapsed(performance.now() - began);
  const rights = await pve.get(path`/access/permissions`, z.record(z.string(), z.unknown()), {}, { signal });
  const none = Object.keys(rights).length === 0;
  return {
    state: 'connected',
    pve_version: version,
    answered_in: took,
    ...(none && {
      cause: 'The token has no privileges: every list will be empty.',
      cure: `On a node: pveum acl modify / --tokens '${setup.token ?? 'user@realm!name'}' --roles PVEAuditor (and to its user, when the token has privilege separation).`,
    }),
  };
}

type ApiOf = Pick<ToolContext, 'pve' | 'setup'>;

/** How the API of a cluster is reached, and whether it works. */
async function toldApi(of: ApiOf, signal: AbortSignal): Promise<Facts & { readonly state?: Fact }> {
  const { pve, setup } = of;
  const told = await inTime((each) => checkApi(of, each), API_PATIENCE_MS, signal);
  return { endpoint: pve.endpoint, other_endpoints: others(pve), token: setup.token, ...told };
}

/** The same of every cluster, where there are several. */
async function toldClusters({ clusters = [], signal }: ToolContext): Promise<readonly Facts[] | undefined> {
  if (clusters.length === 0) return undefined;
  return Promise.all(
    clusters.map(async ({ name: cluster, pve, setup }) => ({
      cluster,
      mode: setup.mode,
      protected_guests: protectedOf(setup),
      ...(await toldApi({ pve, setup }, signal)),
    })),
  );
}

const protectedOf = ({ protectedGuests }: ToolContext['setup']): readonly number[] | undefined =>
  protectedGuests.length > 0 ? protectedGuests : undefined;

/** Which are asked when the first does not answer; undefined when there is only one. */
function others({ endpoint, endpoints }: ToolContext['pve']): readonly string[] | undefined {
  return endpoints.length > 1 ? endpoints.filter((one) => one !== endpoint) : undefined;
}

/** Who the login is, and whether `pct` is there: what the exec tools depend on. */
async function checkHost({ spec }: KnownHost, { ssh }: ToolContext): Promise<Facts> {
  // A login that is not root has no /usr/sbin in its PATH.
  const script = 'id -un; PATH=$PATH:/usr/sbin; command -v pct';
  const { stdout } = await ssh.run(spec, { script, timeoutMs: SSH_PATIENCE_MS / 2 });
  const [user = '', pct = ''] = stdout.text.split('\n');
  const { hostKey } = ssh.connection(spec);
  return { state: 'connected', root: user === 'root', pct: pct !== '', host_key: hostKey };
}

/** Nodes and the operator's own lists; not everything that ~/.ssh/config may name. */
const ours: readonly KnownHost['source'][] = ['node', 'settings', 'inventory'];

async function checkHosts(context: ToolContext): Promise<Facts> {
  const hosts = await context.ssh.hosts.list();
  const known = ours.flatMap((from) => hosts.filter(({ source }) => source === from)).slice(0, HOSTS_CHECKED);
  const modes = new Map(context.clusters?.map(({ name, setup }) => [name, setup.mode]));
  const triedOn = ({ cluster = '' }: KnownHost): boolean => (modes.get(cluster) ?? context.setup.mode) !== 'read-only';
  const checked = await Promise.all(
    known.map(async (host) => ({
      host: host.spec.name,
      login: `${host.spec.user}@${host.spec.address}:${host.spec.port}`,
      ...(triedOn(host) ? await inTime(() => checkHost(host, context), SSH_PATIENCE_MS, context.signal) : {}),
    })),
  );
  const connected = checked.filter((one) => 'state' in one && one.state === 'connected').length;
  const tried = known.length === 0 ? context.setup.mode !== 'read-only' : known.some(triedOn);
  const state = tried ? `${connected} of ${count(checked.length, 'host')} connected` : 'off (read-only)';
  return { state, known_hosts: hosts.length, checked };
}

export default defineServerTool({
  name: 'server_status',
  title: 'Status of this server',
  effect: 'read',
  core: true,
  spans: true,
  summary:
    'How this MCP server is set up and whether it works: mode, API token and privileges, SSH to the nodes, ' +
    'protected guests, audit file, and what is wrong, with its cure.',
  search: 'health check connection problem configuration settings doctor diagnose why does not work version mode token',
  input: {},

  async run(_, context) {
    const { setup } = context;
    const on = (toolset: 'pve' | 'ssh') => reaches(setup.toolsets, toolset);
    const [clusters, api, ssh] = await Promise.all([
      on('pve') ? toldClusters(context) : undefined,
      on('pve') && !context.clusters ? toldApi(context, context.signal) : undefined,
      on('ssh') ? inTime(() => checkHosts(context), HOSTS_PATIENCE_MS, context.signal) : undefined,
    ]);
    const wrong = setup.problems.length > 0 ? `; ${count(setup.problems.length, 'problem')} in the configuration` : '';
    const apis = clusters ?? (api ? [api] : []);
    const works = apis.map(({ cluster, state }) => {
      const word = state === 'connected' ? 'connected' : `not usable (${state})`;
      return `API ${cluster === undefined ? '' : `of ${cluster} `}${word}`;
    });
    const state = `${works.join(', ') || 'API off'}, SSH ${ssh?.state ?? 'off'}`;
    return answer(`proxmox-ssh-mcp ${setup.version}, ${setup.mode} mode; ${state}${wrong}`, {
      version: setup.version,
      mode: clusters ? undefined : setup.mode,
      toolsets: setup.toolsets,
      problems: setup.problems.length > 0 ? setup.problems.map(({ cause, cure }) => ({ cause, cure })) : undefined,
      api,
      clusters,
      ssh,
      protected_guests: clusters ? undefined : protectedOf(setup),
      audit_file: setup.auditFile,
      settings_file: setup.settingsFile,
    });
  },
});
