import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { connectionOf, hostsOf, pveOf } from '../clients.ts';
import { asFailure, Failure } from '../failure.ts';
import type { HostSpec } from '../ssh/client.ts';
import { acceptHostKey, hostKey, knowledgeOf } from '../ssh/hostkey.ts';
import { type KnownKey, knownName, readKnownHosts } from '../ssh/knownhosts.ts';
import { type ScannedKey, scanHostKey } from '../ssh/scan.ts';
import type { Hosts } from '../toolsets/tool.ts';
import { type Flags, ground, loadHere } from './surroundings.ts';
import { agreed, interactive, say, warn } from './terminal.ts';

const API_PATIENCE_MS = 5_000;

interface Wish {
  /** `SHA256:…` that the key must have, to be accepted without a question. */
  readonly fingerprint?: string;
  readonly replace: boolean;
  readonly ownKnownHosts: string;
}

/** Shows the key of a host and, when somebody agrees, writes it into our own known_hosts. */
export async function trust(
  name: string,
  flags: Flags,
  fingerprint: string | undefined,
  replace: boolean,
): Promise<void> {
  const loaded = loadHere(flags);
  for (const { cause, cure, blocks } of loaded.problems) if (blocks?.includes('ssh')) warn(`${cause} ${cure}`);
  const pve = pveOf(loaded, { timeoutMs: API_PATIENCE_MS, readOnly: true });
  try {
    const host = await hostNamed(name, hostsOf(loaded, pve, ground()));
    const options = connectionOf(loaded);
    const key = await scanHostKey(host, { ...options, acceptNew: false });
    const known = await readKnownHosts([...options.knownHosts, options.ownKnownHosts]);
    const { because } = knowledgeOf(host, known).judge(key);
    say(`${host.name} (${host.address}:${host.port}) shows this key:\n  ${key.keyType} ${key.fingerprint}`);
    await decide(host, key, because, { fingerprint, replace, ownKnownHosts: options.ownKnownHosts });
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  } finally {
    await pve.close();
  }
}

/** A known host, one at another port (`inner:2222`), or an address that nothing else says anything about. */
async function hostNamed(name: string, hosts: Hosts): Promise<HostSpec> {
  const { base, port } = splitPort(name);
  const at = port === undefined ? {} : { port: Number(port) };
  try {
    const { spec } = await hosts.find(base);
    return { ...spec, ...at };
  } catch (error) {
    const address = /[.:]/.test(base);
    if (!address || !(error instanceof Failure) || error.kind !== 'not-found') throw error;
    return { name: base, address: base, port: 22, user: 'root', ...at };
  }
}

/** `inner:2222` and `[2001:db8::5]:24`; the colons of a bare IPv6 address are its own. */
function splitPort(name: string): { base: string; port?: string } {
  if (isIP(name) === 6) return { base: name };
  const [, base = name, port] = /^\[?([^\]]+?)\]?(?::(\d+))?$/.exec(name) ?? [];
  return { base, port };
}

async function decide(host: HostSpec, key: ScannedKey, because: readonly KnownKey[], wish: Wish): Promise<void> {
  if (key.verdict === 'known') {
    return say(`It is known already (${because.map(({ file, line }) => `${file}:${line}`).join(', ')}).`);
  }
  if (key.verdict === 'revoked') {
    throw untrusted(
      `This key is marked @revoked in ${because.map(({ file, line }) => `${file}:${line}`).join(', ')}.`,
      'Give the host a new key. A revoked key is never accepted.',
    );
  }
  if (key.verdict === 'changed') {
    for (const old of because)
      say(`Known until now:\n  ${old.keyType} ${hostKey(old.blob).fingerprint} (${old.file}:${old.line})`);
    if (!wish.replace) {
      throw untrusted(
        'The key is another one than before: the host was installed anew, or somebody is in between.',
        `If you know why it changed, run: proxmox-ssh-mcp trust ${host.name} --replace`,
      );
    }
  }
  await confirm(host, key, wish.fingerprint);
  if (key.verdict === 'changed') forget(because, host, wish.ownKnownHosts);
  acceptHostKey(wish.ownKnownHosts, host, key);
  say(`Accepted, in ${wish.ownKnownHosts}.`);
}

const untrusted = (cause: string, cure: string): Failure => new Failure('untrusted', cause, cure);

async function confirm(host: HostSpec, key: ScannedKey, expected: string | undefined): Promise<void> {
  if (expected !== undefined) {
    if (expected.replace(/=+$/, '') === key.fingerprint) return;
    throw untrusted(
      `That is not the expected ${expected}.`,
      'Nothing was written. Find out which of the two is right.',
    );
  }
  if (!interactive()) {
    throw new Failure(
      'refused',
      'There is no terminal to ask on, so the key is not accepted.',
      'Give the fingerprint that the host itself shows: --fingerprint SHA256:…',
    );
  }
  say(`The host itself shows its own with: ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key.keyType)}_key.pub`);
  if (await agreed(`Is this the key of ${host.name}?`)) return;
  throw new Failure('refused', 'Not accepted.', 'Nothing was written.');
}

const shortType = (keyType: string): string => keyType.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa');

/** Takes the old lines out of our own file. The user's files are theirs: it says how to take them out there. */
function forget(lines: readonly KnownKey[], host: HostSpec, own: string): void {
  const ours = new Set(lines.filter(({ file }) => file === own).map(({ line }) => line));
  if (ours.size > 0) {
    const kept = readFileSync(own, 'utf8')
      .split('\n')
      .filter((_, index) => !ours.has(index + 1));
    replaceFile(own, kept.join('\n'));
  }
  const name = knownName(host);
  for (const file of new Set(lines.map((line) => line.file).filter((each) => each !== own))) {
    say(`The old key is still accepted too, until you run: ssh-keygen -R '${name}' -f '${file}'`);
  }
}

/** All or nothing: the old text stands until the new one is on the disk. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  try {
    const handle = openSync(draft, 'wx', 0o600);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    const text = `${file} could not be written: ${(error as Error).message}.`;
    throw new Failure('misconfigured', text, 'Make that file and its folder writable for this user.', { cause: error });
  }
}
