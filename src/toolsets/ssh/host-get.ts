import { z } from 'zod';
import { asFailure, type Failure } from '../../failure.ts';
import { urlInShort } from '../../hooks/address.ts';
import { answer, type Facts, remote } from '../../present/answer.ts';
import type { HostConnection, HostSpec } from '../../ssh/client.ts';
import { hostKey } from '../../ssh/hostkey.ts';
import { bytes, iso } from '../format.ts';
import { host } from '../params.ts';
import { type CommandRules, defineSshTool, type KnownHost, type Shell, type ToolContext } from '../tool.ts';
import { limitsUsed } from './host-limits.ts';
import { type Found, foundIn, hostReading } from './host-reading.ts';
import { loginOf, stateOf } from './host-state.ts';

/** The look waits for no program longer than 3 s, and for few. */
const LOOK_MS = 30_000;

export default defineSshTool({
  name: 'ssh_host_get',
  title: 'Get all about an SSH host',
  effect: 'read',
  summary:
    'How one SSH host is reached (login, jump hosts, keys, host key), what it has (system, docker, zfs, python, ' +
    'sudo, …), its limits, use and last error. Connects once.',
  search: 'describe capabilities facts details info health fingerprint known_hosts kernel architecture why unreachable',
  input: {
    host: host.optional(),
    connect: z.boolean().default(true).describe('False: only what is known.'),
  },

  async run({ host: name, connect }, context) {
    const { ssh } = context;
    const known = await (name === undefined ? ssh.hosts.usual() : ssh.hosts.find(name));
    const { spec } = known;
    const looked = connect ? await look(spec, context) : {};
    const connection = ssh.connection(spec);
    const learned = ssh.memory.of([spec]).get(spec.name);
    const headline = looked.failure
      ? `${spec.name} could not be looked at`
      : connect
        ? `${spec.name} is up`
        : `${spec.name}: ${stateOf(connection)}`;
    return answer(headline, {
      ...about(known),
      host_key: await hostKeyOf(spec, ssh, connection),
      state: stateOf(connection),
      ...(looked.found ? factsOf(looked.found) : {}),
      failure: looked.failure && told(looked.failure),
      capabilities: learned?.capabilities,
      capabilities_seen: learned && iso(learned.at / 1000),
      limits_used: limitsUsed(spec.limits, connection),
      sessions_granted: connection.sessionsGranted,
      last_seen: moment(connection.lastSeen),
      last_error: connection.lastError === undefined ? undefined : remote(connection.lastError),
      last_error_at: moment(connection.lastErrorAt),
      notes: spec.notes && spec.notes.length > 0 ? spec.notes : undefined,
    });
  },
});

const moment = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : iso(ms / 1000));

/** How it is known and reached; of what is secret, no more than that it is set. */
function about({ spec, source, cluster, displayName, purpose, tags, usual, webhook, rules }: KnownHost): Facts {
  const { keyPath, agent, identitiesOnly, password, sudoPassword, keyPassphrase } = spec;
  const auth = [
    keyPath === undefined ? [] : [`key ${keyPath}${keyPassphrase ? ' with a passphrase' : ''}`],
    agent === undefined ? [] : [`agent ${agent}${identitiesOnly ? ', that key alone' : ''}`],
    password === undefined ? [] : ['password'],
  ].flat();
  return {
    host: spec.name,
    display_name: displayName,
    purpose,
    tags,
    default: usual || undefined,
    known_from: source,
    in_cluster: cluster,
    login: loginOf(spec),
    via: spec.via && spec.via.length > 0 ? spec.via.map((hop) => `${hop.name} (${loginOf(hop)})`) : undefined,
    auth,
    sudo_password: sudoPassword ? 'set' : undefined,
    webhook: webhook && urlInShort(webhook),
    command_rules: rulesInShort(rules),
  };
}

const MOST_SHOWN = 300;
const inShort = (text: string): string => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);

/** `deny: rm *; zpool destroy *`, a line for each list, as far as there is room. */
function rulesInShort(rules: CommandRules = {}): readonly string[] | undefined {
  const lines = (['deny', 'ask', 'allow'] as const).flatMap((list) => {
    const patterns = rules[list];
    return patterns === undefined ? [] : [`${list}: ${inShort(patterns.join('; '))}`];
  });
  const rest = rules.otherwise ?? (rules.allow ? 'ask' : undefined);
  return lines.length > 0 || rest ? [...lines, ...(rest ? [`all else: ${rest}`] : [])] : undefined;
}

/** The key of the connection there is, else those it would be accepted with, and where they are written. */
async function hostKeyOf(spec: HostSpec, ssh: Shell, { hostKey: accepted }: HostConnection): Promise<Facts> {
  const keys = await ssh.keys.known(spec).catch((error: unknown) => asFailure(error));
  if (!Array.isArray(keys)) return { accepted, problem: (keys as Failure).message };
  const lines = keys.map(({ blob, keyType, file, line }) => ({ ...hostKey(blob), keyType, place: `${file}:${line}` }));
  const shown = accepted === undefined ? lines : lines.filter(({ fingerprint }) => fingerprint === accepted);
  return {
    accepted,
    known: shown.map(({ keyType, fingerprint, place }) => `${keyType} ${fingerprint} (${place})`),
    alias: spec.hostKeyAlias,
  };
}

/** Looks at the host; that it cannot be reached is something to tell of it, and no reason to tell nothing. */
async function look(spec: HostSpec, { ssh, signal }: ToolContext): Promise<{ found?: Found; failure?: Failure }> {
  try {
    const { stdout } = await ssh.look(spec, hostReading, [], { timeoutMs: LOOK_MS });
    const found = foundIn(stdout.text);
    if (found.whole) ssh.memory.keep(spec, { at: Date.now(), capabilities: found.capabilities });
    return { found };
  } catch (error) {
    const failure = asFailure(error);
    if (signal.aborted || failure.kind === 'internal' || failure.kind === 'cancelled') throw failure;
    return { failure };
  }
}

const told = ({ kind, message, hint }: Failure): Facts => ({ kind, message: remote(message), cure: hint });

const SUDO = {
  root: 'not needed, the login is root',
  none: 'not installed',
  free: 'without a password',
  asks: 'asks for a password, or is not allowed',
} as const;

const PROGRAMS = ['docker', 'podman', 'systemd', 'openrc', 'zfs', 'pve', 'python3', 'node', 'git', 'rsync', 'tmux'];

function factsOf({ said, cpus, memory, sudo, whole }: Found): Facts {
  const text = (value: string | undefined) => (value === undefined ? undefined : remote(value));
  const programs = PROGRAMS.flatMap((name) => (said[name] ? [`${name}: ${said[name]}`] : []));
  return {
    hostname: text(said.hostname),
    os: text(said.os),
    kernel: text([said.kernel, said.arch].filter(Boolean).join(' ') || undefined),
    shell: text(said.shell),
    init: text(said.init),
    virtualization: text(said.virt),
    cpus,
    memory: memory === undefined ? undefined : bytes(memory),
    sudo: sudo && SUDO[sudo],
    programs: text(programs.join('\n') || undefined),
    incomplete: whole ? undefined : 'The host stopped telling before the end.',
  };
}
