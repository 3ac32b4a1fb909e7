import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { filledPage, type PageName } from '../../src/pages/page.ts';
import { startChromium } from '../rig/chromium.ts';

/** A page of ours in a real browser. After each test nothing may have been asked for, complained of, or popped up. */
export interface PageLab {
  /** The tab of the running test. */
  readonly page: Page;
  /** For files of the running tests; it goes with them. */
  readonly folder: string;
  /** Opens the page with these data, as the file that an operator would open. */
  open(name: PageName, data: unknown): Promise<void>;
}

/** To be called once in a test file, outside its tests. */
export function pageLab(): PageLab {
  let browser: Browser;
  let folder: string;
  let page: Page;
  let seen: string[];
  beforeAll(async () => {
    [browser, folder] = await Promise.all([startChromium(), mkdtemp(join(tmpdir(), 'psm-page-'))]);
  });
  beforeEach(async () => {
    seen = [];
    page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    page.on('request', (request) => request.url().startsWith('file:') || seen.push(request.url()));
    page.on('dialog', (dialog) => {
      seen.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => seen.push(`error ${error.message}`));
  });
  afterEach(async () => {
    expect(seen).toEqual([]);
    await page.close();
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });
  return {
    get page() {
      return page;
    },
    get folder() {
      return folder;
    },
    async open(name, data) {
      const file = join(folder, 'page.html');
      await writeFile(file, await filledPage(name, data));
      await page.goto(pathToFileURL(file).href);
    },
  };
}

/** The luminance of `rgb(r, g, b)`, and the contrast of two (WCAG 2.2, relative luminance and contrast ratio). */
function luminance(colour = ''): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(one?: string, other?: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** The contrast of the page's text with its background. */
export async function contrastOf(page: Page): Promise<number> {
  const style = (name: string) => page.evaluate<string>(`getComputedStyle(document.body).${name}`);
  return contrast(await style('color'), await style('backgroundColor'));
}
