import fc from 'fast-check';
import SSHConfig from 'ssh-config';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Guest } from '../../src/pve/guests.ts';
import { aliases, safeIdentifier, safeName } from '../../src/toolsets/pve/aliases.ts';
import { ansibleInventory } from '../../src/toolsets/pve/ansible.ts';
import { quoted } from '../../src/toolsets/pve/hcl.ts';
import type { Reached } from '../../src/toolsets/pve/reached.ts';
import { sshConfig } from '../../src/toolsets/pve/ssh-config.ts';
import { terraform } from '../../src/toolsets/pve/terraform.ts';

/** What would break out of one of the three formats, or run something where it is read. */
const breakouts = [
  '"\n}\nresource "x" "y" {}\n',
  `\${file("/etc/passwd")}`,
  `$\${file("/etc/passwd")}`,
  '%{ if true }x%{ endif }',
  '{{ lookup("pipe", "id") }}',
  '{% raw %}',
  '!unsafe x',
  '&a [*a]',
  'x\n  ProxyCommand sh -c id\n',
  '*',
  '-oProxyCommand=id',
  'no',
  '1e3',
  '12:30:45',
  '#',
  '\\',
  '\u2028\u202e\u0000\u001b[2J',
  '\ud800',
  '__proto__',
  'pve1',
  '',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...breakouts), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 4 })
  .map((parts) => parts.join(''));

const guest = fc
  .record({
    vmid: fc.integer({ min: 100, max: 999_999 }),
    name: hostile,
    kind: fc.constantFrom('lxc' as const, 'qemu' as const),
    node: hostile,
    status: fc.constantFrom('running', 'stopped'),
    tags: fc.array(hostile, { maxLength: 3 }),
  })
  .map((made): Guest => ({ ...made, template: false, label: `guest ${made.vmid}` }));
const guests = fc.uniqueArray(guest, { minLength: 1, maxLength: 4, selector: ({ vmid }) => vmid });

type Hcl = string | number | boolean | readonly Hcl[] | HclMembers;
interface HclMembers {
  readonly [name: string]: readonly Hcl[];
}

/** Reads the part of HCL that configurations are written in here; a template, or a string over two lines, is an error. */
function readHcl(text: string): HclMembers {
  const token =
    /[ \t]+|#[^\n]*|(?<string>"(?:[^"\\\n\r$%]|[$%](?!\{)|\\(?:[nt"\\]|u[0-9a-f]{4}|U[0-9a-f]{8}))*")|(?<word>[A-Za-z_][\w.]*)|(?<number>-?\d+(?:\.\d+)?)|(?<mark>[={}[\],\n])/y;
  const tokens: { readonly kind: string; readonly text: string }[] = [];
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const groups = token.exec(text)?.groups;
    if (groups === undefined) throw new Error(`no HCL at ${JSON.stringify(text.slice(at, at + 60))}`);
    for (const [kind, found] of Object.entries(groups)) if (found !== undefined) tokens.push({ kind, text: found });
  }
  let next = 0;
  const take = (): { readonly kind: string; readonly text: string } => tokens[next++] ?? { kind: 'end', text: '' };
  const value = (): Hcl => {
    const { kind, text } = take();
    if (kind === 'string') return unquoted(text);
    if (kind === 'number') return Number(text);
    if (kind === 'word') return text === 'true' ? true : text === 'false' ? false : { reference: [text] };
    if (text !== '[') throw new Error(`no value: ${text}`);
    const list: Hcl[] = [];
    while (tokens[next]?.text !== ']') {
      list.push(value());
      if (tokens[next]?.text === ',') next += 1;
    }
    next += 1;
    return list;
  };
  const body = (end: string): HclMembers => {
    const members: Record<string, Hcl[]> = {};
    const add = (name: string, one: Hcl): void => {
      members[name] = [...(members[name] ?? []), one];
    };
    for (let one = take(); one.text !== end; one = take()) {
      if (one.text === '\n') continue;
      if (one.kind !== 'word') throw new Error(`not a member: ${one.text}`);
      const labels = [one.text];
      while (tokens[next]?.kind === 'string') labels.push(unquoted(take().text));
      const mark = take().text;
      if (mark === '=' && labels.length === 1) add(one.text, value());
      else if (mark === '{') add(labels.join(' '), body('}'));
      else throw new Error(`neither attribute nor block: ${labels.join(' ')} ${mark}`);
    }
    return members;
  };
  return body('');
}

const unquoted = (text: string): string =>
  text
    .slice(1, -1)
    .replace(/\\(n|t|["\\]|u[0-9a-f]{4}|U[0-9a-f]{8})/g, (_, code: string) =>
      code.length > 1
        ? String.fromCodePoint(Number.parseInt(code.slice(1), 16))
        : (({ n: '\n', t: '\t' } as Record<string, string>)[code] ?? code),
    );

const whole = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

describe('Terraform', () => {
  it('gives every string back as it was, on one line, without a template', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const written = quoted(text);
        expect(written).not.toMatch(/[$%]\{|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
        expect(readHcl(`a = ${written}\n`)).toEqual({ a: [whole(text)] });
      }),
      { numRuns: 2000 },
    );
  });

  it('has one import and one resource for each guest, whatever its name, description and settings are', () => {
    const settings = fc.dictionary(
      fc.constantFrom(
        'net0',
        'scsi0',
        'rootfs',
        'mp0',
        'ipconfig0',
        'cpu',
        'vga',
        'boot',
        'agent',
        'nameserver',
        'ostype',
      ),
      hostile,
    );
    fc.assert(
      fc.property(guests, settings, hostile, (all, config, description) => {
        const labels = aliases(all, safeIdentifier);
        const described = all.map((one) => ({
          guest: one,
          config: { settings: config, description },
          label: labels.get(one) ?? '',
        }));
        const read = readHcl(terraform(described));
        expect(Object.keys(read)).toHaveLength(1 + all.length);
        expect(read.import).toHaveLength(all.length);
        for (const { guest: one, label } of described) {
          const type = one.kind === 'lxc' ? 'container' : 'vm';
          const [resource] = read[`resource proxmox_virtual_environment_${type} ${label}`] ?? [];
          expect(resource).toMatchObject({
            vm_id: [one.vmid],
            node_name: [whole(one.node)],
            description: [whole(description)],
            lifecycle: [{ prevent_destroy: [true] }],
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});

const reached = fc
  .tuple(guests, fc.constantFrom('192.0.2.7', '2001:db8::7', undefined))
  .map(([all, address]): Reached[] => {
    const names = aliases(
      all,
      safeName,
      all.map(({ node }) => node),
    );
    return all.map((one) => ({ guest: one, alias: names.get(one) ?? '', address }));
  });

describe('Ansible', () => {
  it('reads every guest back under its name, with its own variables and nothing that is a template', async () => {
    await fc.assert(
      fc.asyncProperty(reached, async (all) => {
        const text = await ansibleInventory(all, 'root');
        expect(text).not.toMatch(/\{[{%#]|!|&|\*/);
        const read = parse(text, { version: '1.1' });
        expect(Object.keys(read)).toEqual(['all']);
        expect(Object.keys(read.all.hosts).sort()).toEqual(all.map(({ alias }) => alias).sort());
        for (const { guest: one, alias, address } of all) {
          const { ansible_host, proxmox_tags, ...rest } = read.all.hosts[alias];
          expect(ansible_host).toBe(address);
          expect(proxmox_tags).toHaveLength(one.tags.length);
          for (const tag of proxmox_tags) expect(tag).toBeTypeOf('string');
          expect(rest).toMatchObject({ ansible_user: 'root', proxmox_vmid: one.vmid, proxmox_kind: one.kind });
          expect(Object.keys(read.all.children[`kind_${one.kind}`].hosts)).toContain(alias);
        }
        for (const group of Object.keys(read.all.children)) expect(group).toMatch(/^(kind|node|tag)_\w*$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('ssh_config', () => {
  it('has one Host for each guest and nothing else, whatever its name and node are', () => {
    fc.assert(
      fc.property(reached, hostile, (all, address) => {
        const via = [{ name: 'gate', address, port: 22, user: address }];
        const spec = { name: all[0]?.guest.node ?? '', address, port: 22, user: address, via };
        const text = sshConfig(all, new Map([[spec.name, { spec, source: 'node' }]]), 'root');
        const config = SSHConfig.parse(text);
        const params = config.flatMap((line) => ('config' in line ? [line, ...line.config] : [line]));
        const lines = params.filter((line) => 'param' in line);
        for (const line of lines) {
          expect(['Host', 'HostName', 'User', 'Port', 'ProxyJump']).toContain(line.param);
          expect(String(line.value)).toMatch(/^(?!-)[\w.:@,[\]-]+$/);
        }
        const names = lines.filter(({ param }) => param === 'Host').map(({ value }) => String(value));
        const known = all.filter((one) => one.address !== undefined).map(({ alias }) => alias);
        expect(names.slice(-known.length || names.length)).toEqual(known);
        expect(names.length).toBeLessThanOrEqual(known.length + 1);
        for (const { alias, address: at } of all) {
          if (at !== undefined) expect(config.compute(alias)).toMatchObject({ HostName: at, User: 'root' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('gives each guest a name of its own', () => {
  fc.assert(
    fc.property(guests, fc.constantFrom(safeName, safeIdentifier), (all, safe) => {
      const names = [...aliases(all, safe).values()].map((name) => name.toLowerCase());
      expect(new Set(names).size).toBe(all.length);
    }),
  );
});
