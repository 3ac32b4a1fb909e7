import { describe, expect, it } from 'vitest';
import { parseHosts, readHostsFile } from '../../src/config/hostsfile.ts';

const host = (entry: unknown, name = 'web1') => parseHosts(JSON.stringify({ hosts: { [name]: entry } }));
const throwing = (error: unknown) => () => {
  throw error;
};

describe('a host of the inventory file', () => {
  it.each([
    { address: 'pve.example.com' },
    { address: '2001:db8::1', port: 1, user: 'a' },
    { port: 65_535, keyPath: '/k', via: 'gate' },
    { keyPath: '~/k', via: ['a', 'me@b:22'], hostKeyAlias: 'a.b_c-d' },
    { displayName: 'd'.repeat(100), purpose: 'p'.repeat(200) },
    { tags: Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(50, 't')), default: false },
    { webhook: `https://example.com/${'w'.repeat(1_980)}` },
    { limits: { commandsPerMinute: 1, concurrent: 1, connectsPerMinute: 1 } },
    { limits: { commandsPerMinute: 1_000, concurrent: 100, connectsPerMinute: 600 } },
    { commands: {} },
    { commands: { allow: ['a'.repeat(200), 'df -h *'], ask: Array(200).fill('a b'), deny: [], otherwise: 'deny' } },
    { commands: { otherwise: 'ask' } },
    {},
  ])('may be %j', (entry) => expect(host(entry)).toEqual({ hosts: new Map([['web1', entry]]) }));

  it.each([
    [{ port: 65_536 }, 'port'],
    [{ port: 1.5 }, 'port'],
    [{ user: '-x' }, 'user'],
    [{ keyPath: 'k' }, 'keyPath: must be absolute or begin with ~/.'],
    [{ keyPath: 'a/~/k' }, 'keyPath: must be absolute or begin with ~/.'],
    [{ keyPath: '~k' }, 'keyPath: must be absolute or begin with ~/.'],
    [{ via: '' }, 'via'],
    [{ via: [] }, 'via'],
    [{ via: [''] }, 'via'],
    [{ hostKeyAlias: 'a b' }, 'hostKeyAlias: must be a name.'],
    [{ displayName: 'd'.repeat(101) }, 'displayName'],
    [{ tags: [''] }, 'tags.0'],
    [{ tags: ['t'.repeat(51)] }, 'tags.0'],
    [{ tags: Array(21).fill('t') }, 'tags'],
    [{ default: 'yes' }, 'default'],
    [{ webhook: `https://example.com/${'w'.repeat(1_981)}` }, 'webhook'],
    [{ webhook: 'ahttps://x' }, 'webhook: must be an https URL.'],
    [{ webhook: 'httpsx://x' }, 'webhook: must be an https URL.'],
    [{ webhook: 'https://me@example.com/' }, 'webhook: must have no user and no password in it.'],
    [{ webhook: 'https://169.254.169.254/' }, 'webhook: must not lead to a link-local, multicast, metadata or'],
    [{ commands: { allow: 'df' } }, 'commands.allow'],
    [{ commands: { deny: ['a'.repeat(201)] } }, 'commands.deny.0'],
    [{ commands: { deny: Array(201).fill('a') } }, 'commands.deny'],
    [{ commands: { ask: ['', 'a'] } }, 'commands.ask.0: must be a command, with * for what may be anything.'],
    [{ commands: { ask: ['a', 'b\n'] } }, 'commands.ask.1: must be a command'],
    [{ commands: { ask: ['\tb'] } }, 'commands.ask.0: must be a command'],
    [{ commands: { ask: ['  '] } }, 'commands.ask.0: must be a command'],
    [{ commands: { otherwise: 'allow' } }, 'commands.otherwise'],
    [{ commands: { also: [] } }, 'commands: Unrecognized key: \\"also\\"'],
    [{ limits: { commandsPerMinute: 0 } }, 'limits.commandsPerMinute'],
    [{ limits: { commandsPerMinute: 1_001 } }, 'limits.commandsPerMinute'],
    [{ limits: { concurrent: 0.5 } }, 'limits.concurrent'],
    [{ limits: { connectsPerMinute: 0 } }, 'limits.connectsPerMinute'],
    [{ limits: { connectsPerMinute: 601 } }, 'limits.connectsPerMinute'],
  ])('may not be %j', (entry, wrong) => {
    expect(host(entry)).toEqual({ wrong: expect.stringMatching(/^hosts\.web1\..*\.$/) });
    expect(JSON.stringify(host(entry))).toContain(`hosts.web1.${wrong}`);
  });

  it.each(['a', '9', 'a-b', 'A.b_c', 'x9'])('may be called %s', (name) => {
    expect(host({}, name)).toEqual({ hosts: new Map([[name, {}]]) });
  });

  it.each(['', '-a', 'a-', '.a', 'a.', '_a', 'a_', 'a b', 'a/b', 'ä'])('may not be called "%s"', (name) => {
    expect(host({}, name)).toEqual({ wrong: expect.stringMatching(/^hosts\.?/) });
  });
});

describe('the inventory file', () => {
  it('has one default at most, and says whose it is', () => {
    const text = (b: boolean) => JSON.stringify({ hosts: { a: { default: true }, b: { default: b }, c: {} } });
    expect(parseHosts(text(false))).toHaveProperty('hosts');
    expect(parseHosts(text(true))).toEqual({
      wrong: 'hosts.b.default: "a" is the default already, and there can be one.',
    });
  });

  it.each([
    ['{', /^Expected .*\.$/],
    ['[]', /^the top level: .*\.$/],
    ['{ "hosts": {}, "more": 1 }', /^the top level: Unrecognized key: "more"\.$/],
  ])('of %s is wrong', (text, wrong) => expect(parseHosts(text)).toEqual({ wrong: expect.stringMatching(wrong) }));

  it('may begin with a byte order mark, and with nothing else', () => {
    expect(parseHosts('\ufeff{ "hosts": {} }')).toEqual({ hosts: new Map() });
    expect(parseHosts('{ "hosts": { "a": { "purpose": "\ufeff" } } }')).toEqual({
      hosts: new Map([['a', { purpose: '\ufeff' }]]),
    });
  });

  it('need not be there or be named; what cannot be read is told, with all that it may hold', () => {
    const none = { hosts: new Map() };
    expect(readHostsFile(undefined, throwing(new Error('never read')))).toEqual(none);
    expect(readHostsFile('/h.json', throwing(Object.assign(new Error(), { code: 'ENOENT' })))).toEqual(none);
    expect(readHostsFile('/h.json', throwing(Object.assign(new Error(), { code: 'EACCES' })))).toEqual({
      ...none,
      rulesLost: true,
      clustersLost: true,
      problem: {
        cause: 'The inventory file /h.json is not used: this user may not read it.',
        cure:
          'It is JSON: { "hosts": { "NAME": { "address", "port", "user", "keyPath", "via", "hostKeyAlias", "displayName", ' +
          '"purpose", "tags", "default", "webhook", "limits", "cluster", "commands" } } }; all may be left out, address where the name ' +
          'is known. Beside "hosts" there may be "commands" and "clusters".',
      },
    });
    expect(readHostsFile('/h.json', throwing('x')).problem?.cause).toBe(
      'The inventory file /h.json is not used: it cannot be read.',
    );
    expect(readHostsFile('/h.json', () => '{ "hosts": [] }').problem?.cause).toMatch(/is not used: hosts: .*\.$/);
    expect(readHostsFile('/h.json', () => '{}')).toEqual({ hosts: new Map() });
  });
});
