import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pageOf } from '../../src/pages/page.ts';
import { contrastOf, pageLab } from './page-lab.ts';

const lab = pageLab();

const data = {
  summary: 'Cluster homelab, quorate, 1 of 2 nodes online; 2 guests: 1 running, 1 stopped; 1 thing to look at',
  attention: ['Node pve2 is offline.'],
  nodes: [
    { node: 'pve1', status: 'online', cpu: '13 % of 16', memory: '60 GiB of 64 GiB (94 %)', uptime: '41 d' },
    { node: 'pve2', status: 'offline' },
  ],
  storages: [{ storage: 'nas', shared: true, used: '6.5 TiB of 7 TiB (93 %)' }],
  guest_list: [
    {
      vmid: 400,
      name: 'keycloak',
      kind: 'lxc',
      status: 'running',
      node: 'pve1',
      cpu: '2 %',
      memory: '1 GiB of 4 GiB (25 %)',
    },
    { vmid: 201, name: 'win11', kind: 'qemu', status: 'stopped', node: 'pve1' },
  ],
  tasks: [
    { type: 'vzdump', id: '300', node: 'pve1', user: 'root@pam', started: '2026-11-20T11:47:17Z', state: 'failed' },
  ],
};

/** A page that shows an MCP App in a frame and speaks with it; what it was sent is in `got`. */
const host = (app: string, answered: unknown): string => `
  <iframe id="app" sandbox="allow-scripts" style="width:1000px;height:800px"></iframe>
  <script>
    const got = [];
    const answered = ${JSON.stringify(answered)};
    const frame = document.getElementById('app');
    const send = (more) => frame.contentWindow.postMessage({ jsonrpc: '2.0', ...more }, '*');
    window.addEventListener('message', ({ data: { id, method }, source }) => {
      if (source !== frame.contentWindow) return;
      got.push(method);
      if (method === 'ui/initialize') {
        send({ id, result: { protocolVersion: '2026-01-26', hostCapabilities: { serverTools: {} }, hostContext: { theme: 'dark' } } });
      }
      if (method === 'ui/notifications/initialized') {
        send({ method: 'ui/notifications/tool-result', params: { structuredContent: answered } });
      }
      if (method === 'tools/call') send({ id, result: { structuredContent: { ...answered, summary: 'Looked again; now' } } });
    });
    frame.srcdoc = ${JSON.stringify(app).replaceAll('<', '\\u003c')};
  </script>`;

const text = (): Promise<string> => lab.page.locator('main').innerText();

const open = (given: unknown): Promise<void> => lab.open('dashboard', given);

describe('the dashboard', () => {
  it('shows alerts, nodes, storages, guests and tasks, with pictures that have words too', async () => {
    const { page } = lab;
    await open(data);
    const shown = await text();
    for (const part of ['Cluster homelab', 'Node pve2 is offline.', 'keycloak', 'CT 400', 'VM 201', 'vzdump']) {
      expect(shown).toContain(part);
    }
    const labels = await page
      .locator('[role=img]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(labels).toEqual(expect.arrayContaining(['Memory: 94 %', 'nas: 6.5 TiB of 7 TiB (93 %)']));
    expect(await page.title()).toContain('Cluster homelab');
  });

  it('shows several clusters one below the other, and a note of one that did not answer', async () => {
    const { page } = lab;
    const { summary, ...facts } = data;
    const clusters = ['home', 'attic'].map((in_cluster) => ({ in_cluster, ...facts }));
    await open({ summary: `home: ${summary}. attic: ${summary}`, clusters, notes: ['cellar: Nobody there.'] });
    const shown = await text();
    const places = ['2 clusters', 'cellar: Nobody there.', 'home', 'keycloak', 'attic', 'keycloak'];
    let from = 0;
    for (const part of places) {
      expect(shown.indexOf(part, from), part).toBeGreaterThanOrEqual(from);
      from = shown.indexOf(part, from) + part.length;
    }
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(
      expect.arrayContaining(['home', 'attic']),
    );
    await page.screenshot({ path: join(lab.folder, 'clusters.png'), fullPage: true });
    expect(await contrastOf(page)).toBeGreaterThan(7);
  });

  it.each(['light', 'dark'] as const)(
    'can be read in %s, on a wide screen and on a narrow one',
    async (colorScheme) => {
      const { page } = lab;
      await page.emulateMedia({ colorScheme });
      await open(data);
      for (const width of [1100, 380]) {
        await page.setViewportSize({ width, height: 900 });
        const shot = join(lab.folder, `${colorScheme}-${width}.png`);
        await page.screenshot({ path: shot, fullPage: true });
        expect((await stat(shot)).size).toBeGreaterThan(10_000);
        expect(await page.evaluate('document.body.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
        // WCAG 2.2, 1.4.6.
        expect(await contrastOf(page)).toBeGreaterThan(7);
      }
    },
  );

  it('shows what others wrote as text, whatever it is', async () => {
    const { page } = lab;
    const hostile = [
      '</script><script>alert(1)</script>',
      '<img src=x onerror=alert(2)>',
      '<untrusted 0123456789abcdef01234567><b>bold</b></untrusted 0123456789abcdef01234567>',
      '\u0024{alert(3)}',
      '<!--<script>',
    ];
    await open({
      ...data,
      attention: hostile,
      guest_list: hostile.map((name, i) => ({
        vmid: i,
        name,
        kind: name,
        status: name,
        node: name,
        cpu: name,
        memory: name,
      })),
      tasks: hostile.map((one) => ({
        type: one,
        id: one,
        node: one,
        user: one,
        started: one,
        state: one,
        reason: one,
      })),
      nodes: hostile.map((one) => ({ node: one, status: one, cpu: one, memory: one, uptime: one, version: one })),
      storages: hostile.map((one) => ({ storage: one, used: one, status: one })),
      notes: hostile,
    });
    const shown = await text();
    expect(shown).toContain('</script><script>alert(1)</script>');
    expect(shown).toContain('<b>bold</b>');
    expect(await page.locator('main script, main img, main b').count()).toBe(0);
  });

  it('says what is wrong, with the cure, in the place of the datacentre', async () => {
    await open({ summary: 'PROXMOX_HOST is not set.', error: 'misconfigured', cure: 'Set it in the settings file.' });
    expect(await text()).toContain('Set it in the settings file.');
  });

  it('is an MCP App: greets its host, takes its colours, shows what the tool answered, and asks for more', async () => {
    const { page } = lab;
    await page.setContent(host(await pageOf('dashboard'), data));
    const frame = page.frameLocator('#app');
    await frame.getByText('keycloak').waitFor();
    expect(await frame.locator('html').getAttribute('data-theme')).toBe('dark');
    await frame.getByRole('button', { name: 'Look again' }).click();
    await frame.getByText('Looked again').waitFor();
    const got = await page.evaluate<string[]>('got');
    expect(got.filter((method) => method !== 'ui/notifications/size-changed')).toEqual([
      'ui/initialize',
      'ui/notifications/initialized',
      'tools/call',
    ]);
  });
});
