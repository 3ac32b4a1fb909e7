import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asFailure, Failure } from '../src/failure.ts';
import { parseApidoc } from '../src/pve/apidoc.ts';
import { fetchCertificate } from '../src/pve/certificate.ts';
import { createPve } from '../src/pve/client.ts';

const usage = 'npm run schema -- https://HOST:8006 [--fingerprint AA:BB:…] [--out pve-api-schema.json]';

/** Writes the API schema of a Proxmox VE into a file that tests find by PVE_API_SCHEMA. No token is needed, or sent. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { fingerprint: { type: 'string' }, out: { type: 'string', default: 'pve-api-schema.json' } },
  });
  const { host, port } = addressOf(positionals[0]);
  if (values.fingerprint === undefined) return showCertificate(host, port);
  const pve = createPve({ host, port, fingerprint: values.fingerprint, readOnly: true });
  try {
    const methods = parseApidoc(await pve.apidoc());
    const complete = methods.map((one) => ({ permissions: null, proxyto: null, ...one }));
    writeFileSync(values.out, `${JSON.stringify(complete)}\n`);
    console.log(`${methods.length} methods are in ${values.out}. Tests find it by PVE_API_SCHEMA=${values.out}`);
  } finally {
    await pve.close();
  }
}

function addressOf(text = ''): { host: string; port: number } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw new Failure('invalid-input', `"${text}" is not an address.`, `Usage: ${usage}`);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 443) };
}

async function showCertificate(host: string, port: number): Promise<void> {
  const { fingerprint, subject, validTo } = await fetchCertificate(host, port);
  throw new Failure(
    'untrusted',
    `${host}:${port} shows a certificate of ${subject}, valid until ${validTo}, with the SHA-256 fingerprint ${fingerprint}.`,
    `When the host itself shows the same (pvenode cert info), call again with --fingerprint ${fingerprint}`,
  );
}

main().catch((error: unknown) => {
  const { message, hint } = asFailure(error);
  console.error(`${message}\n${hint}`);
  process.exitCode = 1;
});
