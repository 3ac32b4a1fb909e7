import { X509Certificate } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { Failure } from '../../src/failure.ts';
import { createPve, type Pve, type PveOptions } from '../../src/pve/client.ts';
import { path } from '../../src/pve/path.ts';
import { Secret } from '../../src/secret.ts';
import { type Behaviour, type Identity, identity, TlsRig } from '../rig/tls.ts';

let made: Promise<Identity> | undefined;

/** One self-signed certificate for all tests of a file that do not care which. */
export const anyIdentity = (): Promise<Identity> => {
  made ??= identity();
  return made;
};

export const fingerprintOf = ({ cert }: Identity): string => new X509Certificate(cert).fingerprint256;

export const secret = '11111111-2222-3333-4444-555555555555';
export const token = { id: 'root@pam!mcp', secret: new Secret(secret) };

/** A server that behaves as told and a client that is pinned to it; both end with the test (`finished` is the test's own onTestFinished, for concurrent ones). */
export async function rigged(
  behave?: Behaviour,
  options: Partial<PveOptions> = {},
  finished: (end: () => Promise<void>) => void = onTestFinished,
): Promise<{ rig: TlsRig; pve: Pve }> {
  const own = await anyIdentity();
  const rig = await TlsRig.start(own, behave);
  const pve = createPve({
    host: '127.0.0.1',
    port: rig.port,
    fingerprint: fingerprintOf(own),
    token,
    timeoutMs: 5_000,
    ...options,
  });
  finished(async () => {
    await pve.close();
    await rig.stop();
  });
  return { rig, pve };
}

/** The Failure that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const outcome = await promise.then(
    (value) => new Error(`no failure, but ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (outcome instanceof Failure) return outcome;
  throw outcome;
}

export const anything = z.unknown();
export const version = path`/version`;
export const readVersion = (pve: Pve): Promise<unknown> => pve.get(version, anything);
