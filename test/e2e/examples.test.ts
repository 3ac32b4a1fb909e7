import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connected, connect } from './clients.ts';
import { startDatacentre } from './datacentre.ts';
import { startTwoClusters } from './two-clusters.ts';

const docs = resolve(import.meta.dirname, '../../docs');

/** One call of a page, and the lines that the page shows of what comes of it: the question first, where there is one. */
interface Example {
  readonly call: string;
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly shown: readonly string[];
}

/** The calls of the fences that begin with `tool {…}`; a line `…` stands for any lines. */
function examplesOf(page: string): Example[] {
  const text = readFileSync(join(docs, page), 'utf8');
  const lines = [...text.matchAll(/^```example\n([\s\S]*?)^```$/gm)].flatMap(([, body = '']) => body.split('\n'));
  const examples: (Example & { shown: string[] })[] = [];
  for (const line of lines) {
    const [, tool, json] = /^((?:pve|ssh|pct|vm|server)_[a-z_]+)(?: (\{.*\}))?$/.exec(line) ?? [];
    if (tool) examples.push({ call: line, tool, args: JSON.parse(json ?? '{}'), shown: [] });
    else if (line.trim() !== '' && line.trim() !== '…') examples.at(-1)?.shown.push(line.trim());
  }
  return examples;
}

/** Numbers, times and ids are never the same twice. */
const steady = (text: string): string =>
  text
    .replace(/UPID:\S+/g, 'UPID')
    .replace(/\b[0-9a-f]{24}\b/g, 'ID')
    .replace(/[\d.:TZ-]*\d[\d.:TZ-]*/g, '#')
    .replace(/\s+/g, ' ')
    .trim();

describe.each(readdirSync(docs).filter((name) => name.endsWith('.md') && examplesOf(name).length > 0))(
  'docs/%s',
  (page) => {
    let stop: () => Promise<void>;
    let client: Connected;
    const asked: string[] = [];
    beforeAll(async () => {
      // The page about several clusters has two of them.
      const pretend = page === 'clusters.md' ? await startTwoClusters() : await startDatacentre();
      ({ stop } = pretend);
      const launch = await pretend.launch({ MCP_TOOLSETS: 'full', MCP_PROTECTED_GUESTS: '410' });
      client = await connect('v2-2026', launch, (message) => {
        asked.push(message);
        return { action: 'accept', content: { confirm: true } };
      });
    });
    afterAll(async () => {
      await client.close();
      await stop();
    });

    it.each(examplesOf(page))('$call', async ({ tool, args, shown }) => {
      asked.length = 0;
      const { text } = await client.call(tool, args);
      const came = [...asked, text].join('\n').split('\n').map(steady);
      let from = 0;
      for (const line of shown) {
        const at = came.findIndex((one, i) => i >= from && one.includes(steady(line.replace(/ *…$/, ''))));
        expect(at, `${line}\n\nis not in\n\n${came.slice(from).join('\n')}`).toBeGreaterThanOrEqual(0);
        from = at + 1;
      }
    });
  },
);
