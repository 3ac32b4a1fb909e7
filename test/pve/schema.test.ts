import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methodsOf, parseApidoc, readMethods } from '../../src/pve/apidoc.ts';
import { createSchema } from '../../src/pve/schema.ts';
import { readReference } from '../reference.ts';
import { answer, json, type Received, route } from '../rig/tls.ts';
import { failureOf, rigged, secret } from './rigged.ts';

const reference = readReference(process.env);

const method = (info: Record<string, unknown>) => ({ path: '/x', text: 'x', leaf: 1, info: { GET: info } });
const parameters = { additionalProperties: 0, properties: { 'net[n]': { type: 'string', optional: 1 } } };
const tree = JSON.stringify([
  {
    ...method({ name: 'index "a" ]', parameters, permissions: { user: 'all' } }),
    children: [{ ...method({ allowtoken: 0 }), path: '/x/y' }],
  },
]);

describe('what apidoc.js holds', () => {
  it('is its first JSON value, and none of its code', () => {
    const found = methodsOf(parseApidoc(`const apiSchema = ${tree}\n;\nlet x = [1]; throw new Error('run');`));
    expect(found).toMatchObject([
      { path: '/x', method: 'GET', name: 'index "a" ]', rootOnly: false, parameters: { 'net[n]': { optional: true } } },
      { path: '/x/y', method: 'GET', allowtoken: false, rootOnly: true },
    ]);
  });

  it.each(['', 'const apiSchema = {}', 'const apiSchema = [', '<html>[]</html>', 'x = [{"path":1}]'])(
    'may be none: %j',
    (text) => {
      expect(() => parseApidoc(text)).toThrow('cannot be read');
    },
  );

  it('is read in one go, whatever is in it', () => {
    const began = performance.now();
    expect(() => parseApidoc(`const apiSchema = ["${'\\"'.repeat(400_000)}`)).toThrow('cannot be read');
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it.each(['9', '8.4'] as const)('is all of Proxmox VE %s', (release) => {
    const methods = methodsOf(parseApidoc(reference.apidoc(release)));
    expect(methods).toHaveLength(reference.raw(release).length);
    expect(readMethods(JSON.stringify(methods))).toEqual(methods);
    const named = methods.flatMap((one) => Object.keys(one.parameters));
    const raw = reference.raw(release).flatMap(({ parameters: given }) => Object.keys(given.properties ?? {}));
    expect(named.length).toBeGreaterThanOrEqual(raw.length);
  });

  it('joins what depends on a type', () => {
    const rule = reference.methods('9').find(({ method, path }) => method === 'POST' && path === '/cluster/ha/rules');
    expect(rule?.parameters).toMatchObject({
      rule: { optional: false },
      type: { enum: ['node-affinity', 'resource-affinity'] },
      resources: { optional: false },
      strict: { optional: true, only: ['node-affinity'] },
      affinity: { optional: true, only: ['resource-affinity'] },
    });
  });
});

describe('the schema of a server', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'psm-schema-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A server of that version, whose schema is gzipped where that is asked for. */
  const server = (
    version: string,
    doc = answer(200, 'OK', gzipSync(`const apiSchema = ${tree};`), 'Content-Encoding: gzip\r\n'),
  ) => rigged(route(({ target }) => (target.endsWith('/version') ? json({ data: { version } }) : doc)));
  const fetched = (requests: readonly Received[]): Received[] =>
    requests.filter(({ target }) => target.includes('apidoc'));

  it('is fetched once, gzipped and without the token, however many ask', async () => {
    const { rig, pve } = await server('9.2.11');
    const read = createSchema(pve, join(folder, 'a', 'b'));
    const all = await Promise.all([read(), read(), read()]);
    expect(all.map(({ version, methods }) => [version, methods.length])).toEqual(Array(3).fill(['9.2.11', 2]));
    const [asked, ...more] = fetched(rig.requests);
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ method: 'GET', target: '/pve-docs/api-viewer/apidoc.js', body: '' });
    expect(asked?.headers['accept-encoding']).toBe('gzip');
    expect(JSON.stringify(asked)).not.toContain(secret);
  });

  it('is kept on the disk by version, for its owner only', async () => {
    const { rig, pve } = await server('9.2.11');
    expect((await createSchema(pve, join(folder, 'a', 'b'))()).methods).toHaveLength(2);
    expect(fetched(rig.requests)).toEqual([]);
    const other = await server('9.3.1');
    await createSchema(other.pve, join(folder, 'a', 'b'))();
    expect(fetched(other.rig.requests)).toHaveLength(1);
    const files = (await readdir(join(folder, 'a', 'b'))).sort();
    expect(files).toEqual(['api-schema-9.2.11.json', 'api-schema-9.3.1.json']);
    expect((await stat(join(folder, 'a', 'b'))).mode & 0o777).toBe(0o700);
    for (const file of files) expect((await stat(join(folder, 'a', 'b', file))).mode & 0o777).toBe(0o600);
  });

  it('is fetched anew when its file is broken, and used when none can be written', async () => {
    const { rig, pve } = await server('9.2.11');
    await writeFile(join(folder, 'api-schema-9.2.11.json'), '[{"path":');
    expect((await createSchema(pve, folder)()).methods).toHaveLength(2);
    expect(readMethods(await readFile(join(folder, 'api-schema-9.2.11.json'), 'utf8'))).toHaveLength(2);
    expect((await createSchema(pve, join(folder, 'api-schema-9.2.11.json', 'x'))()).methods).toHaveLength(2);
    expect(fetched(rig.requests)).toHaveLength(2);
  });

  it('keeps to its folder, whatever the server calls its version', async () => {
    const { pve } = await server('../../9/../x');
    await createSchema(pve, join(folder, 'c'))();
    expect(await readdir(join(folder, 'c'))).toEqual(['api-schema-.._.._9_.._x.json']);
  });

  it('is asked for again after a failure', async () => {
    const { rig, pve } = await server('9.9', answer(501, 'no such file'));
    const read = createSchema(pve, join(folder, 'd'));
    expect(await failureOf(read())).toMatchObject({ kind: 'remote-error', message: expect.stringContaining('501') });
    rig.behave = route(({ target }) =>
      target.endsWith('/version') ? json({ data: { version: '9.9' } }) : answer(200, 'OK', `x = ${tree}`),
    );
    expect((await read()).methods).toHaveLength(2);
  });

  it('is not asked of a server whose certificate is another one', async () => {
    const { rig, pve } = await rigged(json({ data: { version: '9.2.11' } }), { fingerprint: 'AA'.repeat(32) });
    expect((await failureOf(pve.apidoc())).kind).toBe('untrusted');
    expect(rig.bytes).toBe(0);
  });

  it('may be big', async () => {
    const { pve } = await server(
      '9.2.11',
      answer(200, 'OK', gzipSync(reference.apidoc('9')), 'Content-Encoding: gzip\r\n'),
    );
    const { methods } = await createSchema(pve, join(folder, 'e'))();
    expect(methods).toHaveLength(reference.raw('9').length);
  });
});
