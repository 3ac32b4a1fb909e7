import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fetchCertificate } from '../../src/pve/certificate.ts';
import { createPve, type Pve, type PveOptions } from '../../src/pve/client.ts';
import { figure } from '../figures.ts';
import { type Identity, identity, json, TlsRig } from '../rig/tls.ts';
import { failureOf, fingerprintOf, readVersion, token } from './rigged.ts';

let own: Identity;
let other: Identity;
let authority: Identity;

beforeAll(async () => {
  [own, other, authority] = await Promise.all([identity(), identity(), identity({ name: 'rig CA' })]);
});

// Every case runs with certificate checks switched off for the whole process, which must change nothing.
afterEach(() => vi.unstubAllEnvs());

async function start(shown: Identity, options: Partial<PveOptions>): Promise<{ rig: TlsRig; pve: Pve }> {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const rig = await TlsRig.start(shown, json({ data: 'hello' }));
  const pve = createPve({ host: '127.0.0.1', port: rig.port, token, timeoutMs: 5_000, ...options });
  onTestFinished(async () => {
    await pve.close();
    await rig.stop();
  });
  return { rig, pve };
}

describe('guarantee 12: a wrong certificate is refused before a byte of HTTP', () => {
  it('100 of 100 reconnects to a server whose certificate changed send nothing', async () => {
    const { rig, pve } = await start(own, { fingerprint: fingerprintOf(own) });
    expect(await readVersion(pve)).toBe('hello');
    const before = { bytes: rig.bytes, connections: rig.connections };
    rig.identity = other;
    rig.drop();
    for (let i = 0; i < 100; i += 1) {
      const call = i % 2 === 0 ? readVersion(pve) : pve.post('/version' as Parameters<Pve['post']>[0], { i });
      expect((await failureOf(call)).kind).toBe('untrusted');
    }
    expect(rig.connections - before.connections).toBeGreaterThanOrEqual(100);
    expect(rig.bytes).toBe(before.bytes);
    const connections = rig.connections - before.connections;
    figure(12, `${connections} reconnects, ${rig.bytes - before.bytes} bytes of HTTP sent`);
    rig.identity = own;
    expect(await readVersion(pve)).toBe('hello');
  });

  it('shows both fingerprints and the cure', async () => {
    const { pve } = await start(own, { fingerprint: fingerprintOf(other) });
    const failure = await failureOf(readVersion(pve));
    expect(failure.message).toContain(fingerprintOf(own));
    expect(failure.message).toContain(fingerprintOf(other));
    expect(failure.hint).toContain('pvenode cert info');
    expect(failure.hint).toContain('PROXMOX_FINGERPRINT');
  });

  it.each([
    ['self-signed, nothing pinned', async () => start(own, {})],
    ['signed by another CA than the one given', async () => start(own, { ca: authority.cert })],
    [
      'signed by the CA, for another address',
      async () => start(await identity({ ca: authority, address: '127.0.0.9' }), { ca: authority.cert }),
    ],
    [
      'signed by the CA, expired',
      async () => start(await identity({ ca: authority, days: -1 }), { ca: authority.cert }),
    ],
  ])('%s: untrusted, 0 bytes, told with the fingerprint seen', async (_, begin) => {
    const { rig, pve } = await begin();
    const failure = await failureOf(readVersion(pve));
    expect(failure.kind).toBe('untrusted');
    expect(failure.facts.fingerprint_seen).toBe(fingerprintOf(rig.identity));
    expect(failure.message).toContain(fingerprintOf(rig.identity));
    expect(failure.hint).toContain('Node > System > Certificates');
    expect(failure.hint).toContain('PROXMOX_FINGERPRINT');
    expect({ bytes: rig.bytes, connections: rig.connections }).toEqual({ bytes: 0, connections: 1 });
  });

  it('first contact shows the certificate and sends neither HTTP nor the token', async () => {
    const { rig } = await start(own, {});
    const seen = await fetchCertificate('127.0.0.1', rig.port, 5_000);
    expect(seen.fingerprint).toBe(fingerprintOf(own));
    expect(seen.subject).toBe('CN=rig.test');
    expect(seen.issuer).toBe('CN=rig.test');
    expect(Date.parse(seen.validTo)).toBeGreaterThan(Date.now());
    expect(Date.parse(seen.validFrom)).toBeLessThan(Date.now());
    await vi.waitUntil(() => rig.open.size === 0);
    expect({ bytes: rig.bytes, connections: rig.connections }).toEqual({ bytes: 0, connections: 1 });
  });
});

it.each([
  ['silence', 'timeout'],
  ['reset', 'unreachable'],
  ['plain', 'unreachable'],
] as const)('first contact with %s instead of TLS is %s by its deadline', async (accept, kind) => {
  const { rig } = await start(own, {});
  rig.accept = accept;
  expect((await failureOf(fetchCertificate('127.0.0.1', rig.port, 300))).kind).toBe(kind);
});

it('believes a certificate of the given CA', async () => {
  const { pve } = await start(await identity({ ca: authority }), { ca: authority.cert });
  expect(await readVersion(pve)).toBe('hello');
});

it.each([
  ['lower case', (pin: string) => pin.toLowerCase()],
  ['no colons', (pin: string) => pin.replaceAll(':', '')],
])('a pin in %s is the same pin', async (_, spell) => {
  const { pve } = await start(own, { fingerprint: spell(fingerprintOf(own)) });
  expect(await readVersion(pve)).toBe('hello');
});

it('a pin that is no SHA-256 is misconfigured, and nothing connects', async () => {
  const { rig, pve } = await start(own, { fingerprint: fingerprintOf(own).slice(0, 59) });
  expect((await failureOf(readVersion(pve))).kind).toBe('misconfigured');
  expect(rig.connections).toBe(0);
});
