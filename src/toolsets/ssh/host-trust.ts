import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import type { HostSpec } from '../../ssh/client.ts';
import { hostKey } from '../../ssh/hostkey.ts';
import { publicKeyFile } from '../../ssh/keycheck.ts';
import { type KnownKey, knownName } from '../../ssh/knownhosts.ts';
import type { ScannedKey } from '../../ssh/scan.ts';
import { host } from '../params.ts';
import { defineSshTool, type Preview, type ToolContext } from '../tool.ts';
import { hostNamed } from './host-named.ts';

/** What a human was shown in this very call: nothing else is accepted. */
const shown = new WeakMap<ToolContext, { readonly spec: HostSpec; readonly key: ScannedKey }>();

export default defineSshTool({
  name: 'ssh_host_trust',
  title: 'Accept the key of an SSH host',
  effect: 'change',
  core: true,
  human: 'Or the operator runs "proxmox-ssh-mcp trust HOST" in a terminal.',
  summary:
    'Accept the SSH key of a host that is not known yet. The operator is shown its fingerprint and decides, ' +
    'whatever the mode. A changed or revoked key is never accepted.',
  search: 'known_hosts fingerprint untrusted verify unknown host key verification failed first connection',
  input: { host },
  // It takes hosts, by their names in the inventory; a guest is none.
  touches: () => [],

  async confirm({ host: name }, context) {
    const spec = await hostNamed(name, context.ssh.hosts);
    const key = await context.ssh.keys.scan(spec, context.signal);
    refuse(spec, key);
    shown.set(context, { spec, key });
    return preview(spec, key);
  },

  async run({ host: name }, context) {
    const confirmed = shown.get(context);
    if (!confirmed) {
      throw new Failure('refused', `The key of ${name} was shown to nobody.`, 'Call through a client that can ask.');
    }
    const { spec, key } = confirmed;
    return answer(`the key of ${spec.name} is accepted`, {
      host: spec.name,
      key: `${key.keyType} ${key.fingerprint}`,
      known_as: knownName(spec),
      file: context.ssh.keys.accept(spec, key),
    });
  },
});

const place = ({ address, port }: HostSpec): string => `${address}:${port}`;

/** The digest of `state` binds the answer to this very key, and to this very machine. */
function preview(spec: HostSpec, key: ScannedKey): Preview {
  const through = spec.via?.length ? `, through ${spec.via.map(({ name }) => name).join(', then ')}` : '';
  const name = knownName(spec);
  return {
    message: [
      `Accept this SSH host key of ${spec.name} for good? Nobody vouches for it yet.`,
      `address: ${place(spec)}${through}${name === spec.address ? '' : ` (known_hosts: ${name})`}`,
      `key: ${key.keyType} ${key.fingerprint}`,
      `Compare it on the host's own console: ssh-keygen -lf ${publicKeyFile(key)}`,
    ].join('\n'),
    state: { name, place: place(spec), fingerprint: key.fingerprint, via: (spec.via ?? []).map(place) },
  };
}

const told = (lines: readonly KnownKey[]): string =>
  lines.map(({ keyType, blob, file, line }) => `${keyType} ${hostKey(blob).fingerprint} (${file}:${line})`).join(', ');

/** What nobody needs to be asked about, and what nobody may say yes to. */
function refuse(spec: HostSpec, { verdict, because, keyType, fingerprint }: ScannedKey): void {
  const key = `${keyType} ${fingerprint}`;
  const known = because.map((line) => `${line.keyType} ${hostKey(line.blob).fingerprint}`);
  const seen = { host: spec.name, offered: key, known };
  const subject = `the SSH host key of ${spec.name} (${place(spec)})`;
  if (verdict === 'known') {
    throw new Failure('conflict', `${told(because)} is known already as ${subject}.`, 'Nothing has to be done.');
  }
  if (verdict === 'revoked') {
    throw new Failure(
      'untrusted',
      `${key} was offered as ${subject}, and is marked @revoked: ${told(because)}.`,
      'Give the host a new key. A revoked one is never accepted.',
      { sign: { is: 'host-key-revoked', ...seen } },
    );
  }
  if (verdict === 'changed') {
    throw new Failure(
      'untrusted',
      `${key} was offered as ${subject}, known is ${told(because)}.`,
      'Somebody may be in between, or the host was installed anew. Only if you know why it changed, the operator ' +
        `runs in a terminal: proxmox-ssh-mcp trust ${spec.name} --replace`,
      { sign: { is: 'host-key-changed', ...seen } },
    );
  }
}
