import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { envExample } from '../../scripts/documents.ts';
import { flagOf, keys, settingOf } from '../../src/config/settings.ts';

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, '../..', name), 'utf8');

describe('what people read of the settings (npm run gen)', () => {
  it('is what the program says of them in .env.example', () => expect(read('.env.example')).toBe(envExample()));

  it.each(keys)('has a right value as the example of %s', (key) => {
    const { schema, example } = settingOf(key);
    if (example.includes('…')) return;
    expect(schema.safeParse(example.replace(/^~/, '/home')).success).toBe(true);
  });

  it('is the right rule for the flag of a setting', () => {
    for (const key of keys.filter((each) => !settingOf(each).secret)) {
      const name = settingOf(key).env.replace(/^MCP_/, '').toLowerCase().replaceAll('_', '-');
      expect(flagOf(key)).toBe(`--${name}`);
    }
  });
});
