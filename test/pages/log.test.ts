import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AuditCall } from '../../src/log/calls.ts';
import { contrastOf, pageLab } from './page-lab.ts';

const lab = pageLab();

const tools = [
  { tool: 'pve_overview', effect: 'read' },
  { tool: 'ssh_exec', effect: 'execute', about: 'ct/400' },
  { tool: 'pve_guest_stop', effect: 'destroy', about: 'ct/400' },
  { tool: 'pve_snapshot_create', effect: 'change', about: 'vm/101' },
] as const;

/** So many calls, a minute apart, the oldest first; every tenth of them failed. */
const made = (count: number): AuditCall[] =>
  Array.from({ length: count }, (_, i) => ({
    call: `c${i}`,
    time: new Date(Date.UTC(2026, 10, 1) + i * 60_000).toISOString(),
    client: 'claude-code 2.1.328',
    mode: 'guarded',
    ...(tools[i % tools.length] ?? tools[0]),
    verdict: i % 10 === 9 ? 'remote-error' : 'ok',
    durationMs: 10 ** (i % 6),
    message: `number-${i}`,
    input: { script: `echo ${i}` },
  }));

const open = (calls: readonly object[]): Promise<void> => lab.open('log', { file: '/var/audit.jsonl', calls });
const counts = (): Promise<string> => lab.page.locator('#counts').innerText();
const firstRow = (): Promise<string> => lab.page.locator('.one').first().innerText();

describe('the page of the log', () => {
  it('shows the newest call first, and all that is noted of the one that is chosen', async () => {
    await open(made(200));
    expect(await counts()).toContain('200 of 200 calls, 20 did not end well');
    expect(await firstRow()).toContain('pve_snapshot_create');
    await lab.page.locator('.one').nth(2).click();
    const detail = await lab.page.locator('#detail').innerText();
    for (const part of ['ssh_exec', 'ct/400', 'claude-code', 'number-197', 'echo 197']) expect(detail).toContain(part);
  });

  it('is filtered by tool, target, effect, verdict and text, and shows all again', async () => {
    await open(made(200));
    const { page } = lab;
    await page.getByLabel('Any tool').selectOption('ssh_exec');
    expect(await counts()).toContain('50 of 200');
    await page.getByLabel('Any verdict').selectOption('remote-error');
    expect(await counts()).toContain('10 of 200');
    await page.getByLabel('Search in everything').fill('NUMBER-9"');
    await expect.poll(counts).toContain('1 of 200');
    await page.getByRole('button', { name: 'All again' }).click();
    expect(await counts()).toContain('200 of 200');
    await page.getByLabel('Any target').selectOption('vm/101');
    await page.getByLabel('Any effect').selectOption('change');
    expect(await counts()).toContain('50 of 200');
  });

  it('is narrowed to a time by dragging over the picture, and widened by a click', async () => {
    await open(made(400));
    const box = await lab.page.locator('#time').boundingBox();
    if (!box) throw new Error('no picture');
    const at = (part: number) => [box.x + box.width * part, box.y + 20] as const;
    const { mouse } = lab.page;
    await mouse.move(...at(0.25));
    await mouse.down();
    await mouse.move(...at(0.5), { steps: 4 });
    await mouse.up();
    const [, shown] = /^([\d,]+) of 400/.exec(await counts()) ?? [];
    expect(Number(shown)).toBeGreaterThan(90);
    expect(Number(shown)).toBeLessThan(110);
    await mouse.click(...at(0.9));
    expect(await counts()).toContain('400 of 400');
  });

  it('is gone through by keys alone', async () => {
    await open(made(300));
    const { keyboard } = lab.page;
    const chosen = () => lab.page.locator('#detail pre').first().innerText();
    await keyboard.press('ArrowDown');
    expect(await chosen()).toBe('number-299');
    for (const key of ['j', 'j', 'k']) await keyboard.press(key);
    expect(await chosen()).toBe('number-298');
    await keyboard.press('End');
    expect(await chosen()).toBe('number-0');
    await lab.page.locator('.one[aria-selected=true]').waitFor();
    await keyboard.press('/');
    await keyboard.type('number-7"');
    await expect.poll(counts).toMatch(/^1 of 300/);
    await keyboard.press('Escape');
    expect(await counts()).toContain('300 of 300');
  });

  it('shows 100,000 calls by the few rows that are in view', { timeout: 120_000 }, async () => {
    const { page } = lab;
    await open(made(100_000));
    expect(await counts()).toContain('100,000 of 100,000');
    const rows = () => page.locator('.one').count();
    expect(await rows()).toBeLessThan(80);
    await page.evaluate("document.getElementById('list').scrollTop = 1e9");
    await page.getByText('2026-11-01 00:00:00').waitFor();
    expect(await rows()).toBeLessThan(80);
    await page.getByLabel('Search in everything').fill('number-4711');
    await expect.poll(counts, { timeout: 30_000 }).toMatch(/^11 of 100,000/);
  });

  it('shows what others wrote as text, whatever it is', async () => {
    const hostile = ['</script><script>alert(1)</script>', '<img src=x onerror=alert(2)>', '"><svg onload=alert(3)>'];
    const calls = hostile.map((one) => ({
      ...{ call: one, time: one, tool: one, effect: one, client: one, about: one, verdict: one, message: one },
      ...{ mode: one, approved: one, input: { [one]: one, nested: { [one]: [one] } }, output: { [one]: one } },
    }));
    await open([...calls, { ...calls[0], time: '2026-11-20T10:00:00Z', durationMs: -5, exitCode: 1 }]);
    expect(await firstRow()).toContain('</script><script>alert(1)</script>');
    await lab.page.locator('.one').nth(1).click();
    expect(await lab.page.locator('#detail').innerText()).toContain('"><svg onload=alert(3)>');
    expect(await lab.page.locator('main script, main img, main svg, select svg').count()).toBe(0);
  });

  it('says so where there is nothing', async () => {
    await open([]);
    expect(await counts()).toContain('0 of 0 calls');
    expect(await lab.page.locator('#detail').innerText()).toBe('No call matches.');
  });

  it.each(['light', 'dark'] as const)(
    'can be read in %s, on a wide screen and on a narrow one',
    async (colorScheme) => {
      const { page, folder } = lab;
      await page.emulateMedia({ colorScheme });
      await open(made(500));
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 820 });
        const shot = join(folder, `${colorScheme}-${width}.png`);
        await page.screenshot({ path: shot });
        expect((await stat(shot)).size).toBeGreaterThan(20_000);
        expect(await page.evaluate('document.body.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
        expect(await contrastOf(page)).toBeGreaterThan(7);
      }
    },
  );
});
