import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serverJson } from '../scripts/serverjson.ts';
import { keys, settingOf } from '../src/config/settings.ts';

const root = resolve(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** A version, and no range of versions. */
const version = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
  .max(255);

/** The part of the registry's schema 2025-12-11 that a local server from npm needs, and nothing beside it. */
const schema = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version,
  packages: z.array(
    z.strictObject({
      registryType: z.literal('npm'),
      registryBaseUrl: z.literal('https://registry.npmjs.org'),
      identifier: z.string().min(1),
      version,
      runtimeHint: z.literal('npx'),
      transport: z.strictObject({ type: z.literal('stdio') }),
      environmentVariables: z.array(
        z.strictObject({
          name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
          description: z.string().min(1),
          isRequired: z.boolean().optional(),
          isSecret: z.boolean().optional(),
          placeholder: z.string().optional(),
        }),
      ),
    }),
  ),
});

describe('server.json', () => {
  const manifest = JSON.parse(read('package.json'));
  const entry = schema.parse(JSON.parse(read('server.json')));

  it('has not drifted (npm run gen)', () => expect(read('server.json')).toBe(serverJson(manifest)));

  it('is about this package, which names it back', () => {
    expect(entry.name).toBe(manifest.mcpName);
    expect(entry.name).toMatch(/^io\.github\./);
    const [{ identifier, version } = { identifier: '', version: '' }] = entry.packages;
    expect([entry.version, identifier, version]).toEqual([manifest.version, manifest.name, manifest.version]);
    expect(Object.keys(manifest.bin)).toEqual([manifest.name]);
  });

  it('knows every setting of a server on stdio, and which of them are secrets', () => {
    const told = entry.packages[0]?.environmentVariables ?? [];
    const settings = keys.map(settingOf).filter(({ group }) => group !== 'http');
    expect(told.map(({ name }) => name)).toEqual(settings.map(({ env }) => env));
    const secrets = settings.filter(({ secret }) => secret).map(({ env }) => env);
    expect(told.filter(({ isSecret }) => isSecret).map(({ name }) => name)).toEqual(secrets);
    expect(told.filter(({ isSecret, placeholder }) => isSecret && placeholder !== undefined)).toEqual([]);
  });
});
