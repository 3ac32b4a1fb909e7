import { Failure } from '../failure.ts';
import type { HostSpec } from './client.ts';
import { acceptHostKey, type HostKey, type HostKnowledge, hostKey, type Verdict } from './hostkey.ts';
import { type KnownKey, knownName } from './knownhosts.ts';

type Place = Pick<HostSpec, 'name' | 'address' | 'port' | 'hostKeyAlias'>;

export interface HostKeyPolicy {
  /** Where new keys are written, when `acceptNew` says that they may be. */
  readonly ownKnownHosts: string;
  readonly acceptNew?: boolean;
}

/** Checks the key of one connection, at the first key exchange and at every later one. */
export class HostKeyCheck {
  /** The key this connection was accepted with. */
  accepted?: HostKey;
  failure?: Failure;
  #isNew = false;

  constructor(
    private readonly host: Place,
    private readonly knowledge: HostKnowledge,
    private readonly policy: HostKeyPolicy,
  ) {}

  /** For ssh2's hostVerifier: answers at once, asks nobody, writes nothing; a no leaves its Failure in `failure`. */
  verify(blob: Buffer): boolean {
    if (this.accepted?.blob.equals(blob)) return true;
    const key = hostKey(blob);
    const { verdict, because } = this.knowledge.judge(key);
    const fine = verdict === 'known' || (verdict === 'unknown' && this.policy.acceptNew === true);
    if (this.accepted || !fine) {
      this.failure = refusal(this.host, key, verdict, because, this.accepted);
      return false;
    }
    this.accepted = key;
    this.#isNew = verdict === 'unknown';
    return true;
  }

  /** To be called when the server has proved that it holds the key, before authentication: writes a new key down. */
  proved(): void {
    if (!this.#isNew || !this.accepted) return;
    this.#isNew = false;
    acceptHostKey(this.policy.ownKnownHosts, this.host, this.accepted);
  }
}

const told = (key: { keyType: string; blob: Buffer }) => `${key.keyType} ${hostKey(key.blob).fingerprint}`;

function refusal(host: Place, key: HostKey, verdict: Verdict, lines: readonly KnownKey[], accepted?: HostKey): Failure {
  const subject = `The SSH host key of ${host.name} (${host.address}:${host.port})`;
  const trust = `proxmox-ssh-mcp trust ${host.name}`;
  if (accepted) {
    const text = `${subject} changed while connected: ${told(accepted)} was accepted, ${told(key)} was offered.`;
    return new Failure('untrusted', text, 'Somebody may be in between. Do not connect before you know why.');
  }
  const sign = (is: 'host-key-changed' | 'host-key-revoked') =>
    ({ is, host: host.name, offered: told(key), known: lines.map(told) }) as const;
  const places = lines.map((line) => `${told(line)} (${line.file}:${line.line})`).join(', ');
  if (verdict === 'revoked') {
    const text = `${subject} is revoked: ${told(key)} was offered, and ${places} is marked @revoked.`;
    return new Failure('untrusted', text, `Give the host a new key, then run: ${trust}`, {
      sign: sign('host-key-revoked'),
    });
  }
  if (verdict === 'changed') {
    const text = `${subject} has changed: ${told(key)} was offered, known is ${places}.`;
    const remove = [...new Set(lines.map(({ file }) => file))]
      .map((file) => `ssh-keygen -R '${knownName(host)}' -f '${file}'`)
      .join(' && ');
    const doubt = 'Somebody may be in between, or the host was installed anew.';
    const cure = `${doubt} Only if you know why it changed: ${remove} && ${trust}`;
    return new Failure('untrusted', text, cure, { sign: sign('host-key-changed') });
  }
  return new Failure(
    'untrusted',
    `${subject} is not known: ${told(key)} was offered.`,
    `Compare it with what the host itself shows for ssh-keygen -lf ${publicKeyFile(key)}, then run: ${trust}`,
  );
}

/** Where sshd keeps a host key of that type unless it is told otherwise. */
export const publicKeyFile = ({ keyType }: Pick<HostKey, 'keyType'>): string =>
  `/etc/ssh/ssh_host_${/^(ssh|ecdsa)-(rsa|ed25519)?/.exec(keyType)?.[2] ?? 'ecdsa'}_key.pub`;
