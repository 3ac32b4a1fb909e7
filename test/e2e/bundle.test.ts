import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { getMcpConfigForManifest, v0_3 } from '@anthropic-ai/mcpb/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packBundle } from '../../scripts/mcpb.ts';
import { type Connected, connect, eras } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

const run = promisify(execFile);
const mcpb = resolve(import.meta.dirname, '../../node_modules/.bin/mcpb');

let dc: Datacentre;
let folder: string;
let unpacked: string;
let manifest: ReturnType<typeof v0_3.McpbManifestSchema.parse>;
const open: Connected[] = [];

beforeAll(async () => {
  dc = await startDatacentre();
  folder = await mkdtemp(join(tmpdir(), 'psm-mcpb-'));
  unpacked = join(folder, 'unpacked');
  await packBundle(join(folder, 'it.mcpb'));
  await run(mcpb, ['unpack', join(folder, 'it.mcpb'), unpacked]);
  manifest = v0_3.McpbManifestSchema.parse(JSON.parse(await readFile(join(unpacked, 'manifest.json'), 'utf8')));
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.close()));
  await dc.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The server as Claude Desktop would start it with these answers to its questions. */
async function started(era: (typeof eras)[number], answers: Record<string, string>): Promise<Connected> {
  const filled = { manifest, extensionPath: unpacked, systemDirs: {}, userConfig: answers, pathSeparator: '/' };
  const config = await getMcpConfigForManifest(filled);
  if (!config) throw new Error('an answer that is needed is missing');
  const env = { PATH: process.env.PATH ?? '', HOME: folder, ...config.env };
  const client = await connect(era, { command: config.command, args: config.args ?? [], env });
  open.push(client);
  return client;
}

const needed = () => ({
  proxmox_host: `127.0.0.1:${dc.api.port}`,
  proxmox_token_name: `${dc.api.token.user}!${dc.api.token.tokenid}`,
  proxmox_token_value: dc.api.token.value,
  proxmox_fingerprint: dc.api.fingerprint,
});

describe('the bundle for Claude Desktop', () => {
  it('holds the program and its licences: nothing native, nothing of this machine', async () => {
    const files = (await readdir(unpacked, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
    const allowed =
      /^(manifest\.json|package\.json|LICENSE|SECURITY\.md|bin\/proxmox-ssh-mcp\.js|dist\/.+\.(js|txt|html))$/;
    const names = files.map(({ parentPath, name }) => join(parentPath, name).slice(unpacked.length + 1));
    expect(names.filter((name) => !allowed.test(name))).toEqual([]);
    expect(names).toContain('dist/THIRD_PARTY_NOTICES.txt');
    expect(names.filter((name) => /\.(node|dll|so|dylib)$/.test(name))).toEqual([]);
  });

  it('asks for secrets as secrets, and for nothing that there is no setting for', async () => {
    const options = Object.entries(manifest.user_config ?? {});
    const secret = options.filter(([, { sensitive }]) => sensitive).map(([name]) => name);
    expect(secret).toEqual(['proxmox_token_value', 'ssh_key_passphrase', 'ssh_password', 'ssh_sudo_password']);
    const wanted = options.filter(([, { required }]) => required).map(([name]) => name);
    expect(wanted).toEqual(['proxmox_host', 'proxmox_token_name', 'proxmox_token_value']);
    expect(Object.keys(manifest.server.mcp_config.env ?? {}).map((name) => name.toLowerCase())).toEqual(
      options.map(([name]) => name),
    );
    for (const [name, { title, default: value }] of options) {
      expect(title, name).toMatch(/^[A-Z]/);
      expect(value, name).toBeUndefined();
    }
  });

  it.each(eras)('unpacked, serves a client of %s the tools that it names', async (era) => {
    const client = await started(era, needed());
    expect(manifest.tools?.map(({ name }) => name)).toEqual((await client.tools()).map(({ name }) => name));
    const { isError, text } = await client.call('pve_guest_list');
    expect(isError, text).toBe(false);
    expect(text).toContain('keycloak');
  });

  it('takes what was left empty, and what was not filled in, as not set', async () => {
    const empty = Object.fromEntries(Object.keys(manifest.user_config ?? {}).map((name) => [name, '']));
    for (const answers of [needed(), { ...empty, ...needed() }]) {
      const { facts } = await (await started('v2-2026', answers)).call('server_status');
      expect(facts).toMatchObject({ mode: 'guarded' });
      expect(facts.problems).toBeUndefined();
    }
  });
});
