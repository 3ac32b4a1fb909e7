import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Datacentre, startDatacentre } from '../e2e/datacentre.ts';
import { initialize, type RawSession, startRaw } from '../e2e/raw.ts';
import { fromSource } from './source.ts';

let dc: Datacentre;
let session: RawSession | undefined;
beforeAll(async () => {
  dc = await startDatacentre();
});
afterEach(async () => {
  dc.world.switches.outage = undefined;
  session?.child.stdin?.end();
  await session?.gone;
  session = undefined;
});
afterAll(() => dc.stop());

const modern = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const eras = { '2025-11-25': undefined, '2026-07-28': modern } as const;
type Ask = (method: string, params?: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Asks a server of its own in that era; what it answers, or the error it answers with. */
async function serverIn(era: keyof typeof eras, settings: Record<string, string> = {}): Promise<Ask> {
  const raw = startRaw(await fromSource(dc, settings));
  session = raw;
  const _meta = eras[era];
  if (!_meta) await initialize(raw);
  return async (method, params = {}) => {
    const reply = await raw.request(method, { ...params, ...(_meta && { _meta }) });
    return (reply.result ?? reply.error) as Record<string, unknown>;
  };
}

interface Listed {
  readonly uri: string;
  readonly title: string;
}
const listed = async (ask: Ask): Promise<readonly Listed[]> =>
  ((await ask('resources/list')) as { resources: Listed[] }).resources;
const read = async (ask: Ask, uri: string): Promise<string> => {
  const { contents } = (await ask('resources/read', { uri })) as { contents?: { text: string }[] };
  return contents?.[0]?.text ?? 'no contents';
};

describe.each(Object.keys(eras) as (keyof typeof eras)[])('resources, to a client of %s', (era) => {
  it('are the datacentre, its nodes and guests, and the hosts, each with a title', async () => {
    const ask = await serverIn(era);
    const all = await listed(ask);
    expect(all[0]).toMatchObject({ uri: 'pve://cluster', title: 'The whole datacentre' });
    expect(all).toContainEqual(expect.objectContaining({ uri: 'pve://guest/400', title: 'CT 400 (keycloak) on pve1' }));
    for (const uri of ['pve://node/pve1', 'ssh://host/pve1']) expect(all.map((one) => one.uri)).toContain(uri);
    const { resourceTemplates } = (await ask('resources/templates/list')) as {
      resourceTemplates: { uriTemplate: string }[];
    };
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'pve://node/{node}',
      'pve://guest/{vmid}',
      'ssh://host/{name}',
    ]);
  });

  it('are what the tools say, and are noted in the audit under their names', async () => {
    const ask = await serverIn(era);
    expect(await read(ask, 'pve://cluster')).toMatch(/nodes? online|Standalone node/);
    expect(await read(ask, 'pve://guest/400')).toContain('CT 400 (keycloak)');
    expect(await read(ask, 'pve://guest/keycloak')).toContain('CT 400 (keycloak)');
    expect(await read(ask, 'pve://node/pve1')).toContain('pve1');
    expect(await read(ask, 'ssh://host/pve1')).toContain('connected');
    expect(await dc.audit()).toMatch(/"tool":"ssh_host_get".*"verdict":"ok"/);
  });

  it('that are not there are told so, with the nearest names', async () => {
    const ask = await serverIn(era);
    const missing = await ask('resources/read', { uri: 'pve://guest/keycloack' });
    expect(missing).toMatchObject({ message: expect.stringContaining('keycloak') });
    for (const uri of ['pve://guest/%zz', 'pve://cluster/x', 'file:///etc/passwd', '']) {
      expect(await ask('resources/read', { uri }), uri).toHaveProperty('code');
    }
    expect(await ask('resources/list', { cursor: 'x' })).toHaveProperty('code', -32602);
  });

  it('are listed in time, as far as they are known, when the API says nothing', async () => {
    dc.world.switches.outage = 'silent';
    const ask = await serverIn(era);
    const began = performance.now();
    expect((await listed(ask)).map(({ uri }) => uri)).toContain('pve://cluster');
    expect(performance.now() - began).toBeLessThan(5_000);
    dc.world.switches.outage = { status: 403, reason: 'Permission check failed (/vms, VM.Audit)' };
    expect(await ask('resources/read', { uri: 'pve://cluster' })).toMatchObject({
      message: expect.stringContaining('VM.Audit'),
    });
  });

  it('are of the chosen toolsets alone', async () => {
    const ask = await serverIn(era, { MCP_TOOLSETS: 'ssh' });
    expect((await listed(ask)).every(({ uri }) => /^(ssh:\/\/host\/|audit:)/.test(uri))).toBe(true);
    expect(await ask('resources/read', { uri: 'pve://cluster' })).toHaveProperty('code');
  });

  it('are the newest calls too, what servers said in them between marks', async () => {
    const ask = await serverIn(era);
    expect(await read(ask, 'pve://guest/400')).toContain('keycloak');
    const text = await read(ask, 'audit://recent');
    expect(text).toMatch(/^The newest \d+ calls/);
    expect(text).toMatch(/pve_guest_get.*<untrusted [0-9a-f]+>CT 400 \(keycloak\)/);
  });

  it('are the page of a tool that has one, which loads nothing', async () => {
    const ask = await serverIn(era, { MCP_TOOLSETS: 'full' });
    const { tools } = (await ask('tools/list')) as {
      tools: { name: string; _meta: { ui?: { resourceUri: string } } }[];
    };
    const uri = tools.find(({ name }) => name === 'pve_dashboard')?._meta.ui?.resourceUri ?? '';
    const { contents } = (await ask('resources/read', { uri })) as { contents: Record<string, unknown>[] };
    expect(contents[0]).toMatchObject({
      uri,
      mimeType: 'text/html;profile=mcp-app',
      _meta: { ui: { csp: { connectDomains: [], resourceDomains: [] } } },
    });
    expect(contents[0]?.text).toContain("default-src 'none'");
  });

  it('are listed without names that hide something, or are no text', async () => {
    const [node] = dc.world.nodes;
    const kept = node?.name;
    for (const name of ['pve\u202e1', 'pve\ud8001', 'pve1\u001b[2J']) {
      Object.assign(node ?? {}, { name });
      const ask = await serverIn(era);
      const all = (await listed(ask)).map(({ uri }) => uri);
      const ref = { type: 'ref/resource', uri: 'pve://node/{node}' };
      const told = JSON.stringify([
        all,
        await ask('completion/complete', { ref, argument: { name: 'node', value: '' } }),
      ]);
      Object.assign(node ?? {}, { name: kept });
      expect(all).toContain('pve://guest/400');
      expect(told).toContain('pve2');
      expect(told).not.toMatch(/pve(\u202e|%E2%80%AE|%1B|\\u)/);
      session?.child.stdin?.end();
      await session?.gone;
    }
  });

  it('are completed by what was typed', async () => {
    const ask = await serverIn(era);
    const complete = async (uri: string, value: string) => {
      const ref = { type: 'ref/resource', uri };
      const { completion } = (await ask('completion/complete', { ref, argument: { name: 'x', value } })) as {
        completion: { values: string[] };
      };
      return completion.values;
    };
    expect(await complete('pve://guest/{vmid}', '40')).toContain('400');
    expect(await complete('pve://node/{node}', 'PVE')).toContain('pve1');
    expect(await complete('ssh://host/{name}', 've1')).toContain('pve1');
    expect(await complete('x://{y}', '')).toEqual([]);
  });
});

describe('resources of which somebody made up the name', () => {
  it('with a path, an option or a login instead of a name are not there, and nothing is asked for by them', async () => {
    const ask = await serverIn('2026-07-28');
    const nodes = ['..', '..%2F..%2Faccess', 'pve1%2Fstatus', '%00', '%ED%A0%80', '%3Cuntrusted%3E%0A', ''];
    const guests = ['..', '400%2Fconfig', '400?x', '0x190', '-1', '9'.repeat(20)];
    const hosts = ['..%2F..', 'root@10.0.0.1', '10.0.0.1:22', 'ct%2F400', '-oProxyCommand=id', 'a'.repeat(5_000)];
    const uris = [
      ...nodes.map((name) => `pve://node/${name}`),
      ...guests.map((name) => `pve://guest/${name}`),
      ...hosts.map((name) => `ssh://host/${name}`),
      ...['pve://cluster/../nodes', 'audit://recent/../x', 'ui://proxmox-ssh-mcp/../x', 'PVE://cluster'],
    ];
    dc.world.requests.length = 0;
    for (const uri of uris) expect(await ask('resources/read', { uri }), uri).toHaveProperty('code');
    const asked = new Set(dc.world.requests.map(({ method, path }) => `${method} ${path}`));
    expect([...asked].filter((one) => !/^GET \/cluster\/(resources|status)$/.test(one))).toEqual([]);
  });
});
