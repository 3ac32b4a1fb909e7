import { readFileSync } from 'node:fs';
import { connectionOf, hostsOf, pvesOf } from '../clients.ts';
import { asFailure, Failure } from '../failure.ts';
import { replaceFile } from '../replacefile.ts';
import type { HostSpec } from '../ssh/client.ts';
import { acceptHostKey, hostKey } from '../ssh/hostkey.ts';
import { publicKeyFile } from '../ssh/keycheck.ts';
import { type KnownKey, knownName } from '../ssh/knownhosts.ts';
import { type ScannedKey, scanHostKey } from '../ssh/scan.ts';
import { hostNamed } from '../toolsets/ssh/host-named.ts';
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
  const pves = pvesOf(loaded, () => ({ timeoutMs: API_PATIENCE_MS, readOnly: true }));
  try {
    const host = await hostNamed(name, hostsOf(loaded, pves, ground()));
    const options = connectionOf(loaded);
    const key = await scanHostKey(host, { ...options, acceptNew: false });
    say(`${host.name} (${host.address}:${host.port}) shows this key:\n  ${key.keyType} ${key.fingerprint}`);
    await decide(host, key, { fingerprint, replace, ownKnownHosts: options.ownKnownHosts });
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  } finally {
    await Promise.all(pves.map((pve) => pve.close()));
  }
}

async function decide(host: HostSpec, key: ScannedKey, wish: Wish): Promise<void> {
  const { because } = key;
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
  say(`The host itself shows its own with: ssh-keygen -lf ${publicKeyFile(key)}`);
  if (await agreed(`Is this the key of ${host.name}?`)) return;
  throw new Failure('refused', 'Not accepted.', 'Nothing was written.');
}

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
