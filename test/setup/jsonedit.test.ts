import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withMember } from '../../src/setup/jsonedit.ts';

const entry = { type: 'stdio', command: '/usr/bin/node', args: ['a.js'] };
const set = (text: string) => withMember(text, 'file.json', ['mcpServers', 'ours'], entry);
const cut = (text: string) => withMember(text, 'file.json', ['mcpServers', 'ours'], undefined);

describe('a member of a JSON file', () => {
  it.each([
    ['two spaces', '{\n  "a": 1,\n  "mcpServers": {\n    "x": {}\n  },\n  "z": [ 1,2 ]\n}\n'],
    ['tabs', '{\n\t"a": 1,\n\t"mcpServers": {\n\t\t"x": {}\n\t}\n}'],
    ['one line', '{"a":1,"mcpServers":{"x":{}},"z":[1,2]}'],
    ['Windows line ends', '{\r\n    "mcpServers": {\r\n        "x": {}\r\n    }\r\n}\r\n'],
    ['a byte order mark', '\uFEFF{ "mcpServers": { "x": {} } }'],
    ['odd spaces', '{ "a" :1 , "mcpServers":{ "x" :{ } }\n\n }'],
  ])('is put in and taken out with %s, and the text is what it was', (_, text) => {
    const edited = set(text);
    expect(JSON.parse(edited.replace('\uFEFF', '')).mcpServers.ours).toEqual(entry);
    expect(edited).toContain('"x"');
    expect(cut(edited)).toBe(text);
  });

  it('leaves every byte of what stands around it', () => {
    const text =
      '{\n  "big": 12345678901234567890.10,\n  "same": "\\u00e9\\/",\n  "mcpServers": {\n    "x": 1e3\n  }\n}\n';
    const edited = set(text);
    const [head = '', tail = ''] = text.split('1e3');
    expect(edited.startsWith(`${head}1e3`)).toBe(true);
    expect(edited.endsWith(tail)).toBe(true);
  });

  it('keeps all others of any object, and every one of their texts', () => {
    const members = fc.dictionary(
      fc.string().filter((name) => name !== '__proto__' && name !== 'mcpServers'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(
        members,
        fc.option(members, { nil: undefined }),
        fc.constantFrom(0, 1, 2, '\t'),
        (around, servers, indent) => {
          const value = { ...around, ...(servers && { mcpServers: { ...servers, ours: undefined } }) };
          const text = JSON.stringify(value, null, indent);
          const edited = set(text);
          expect(JSON.parse(edited)).toEqual({
            ...JSON.parse(text),
            mcpServers: { ...JSON.parse(text).mcpServers, ours: entry },
          });
          expect(JSON.parse(cut(edited))).toEqual({
            ...JSON.parse(text),
            mcpServers: { ...JSON.parse(text).mcpServers },
          });
        },
      ),
    );
  });

  it.each([
    ['{"a":1,}', /is not valid JSON/],
    ['', /is not valid JSON/],
    ['[1]', /holds no JSON object/],
    ['// note\n{}', /is not valid JSON/],
    ['{"mcpServers":{"a":1},"mcpServers":{"b":2}}', /more than once/],
  ])('is not touched in %s', (text, why) => {
    expect(() => set(text)).toThrow(why);
  });
});
