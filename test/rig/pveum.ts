import { on, once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { rolePrivileges } from '../../src/demo/api/roles.ts';
import type { Access } from '../../src/demo/world/access.ts';
import type { World } from '../../src/demo/world.ts';

/** A pretend pveum (and pveversion) on a real sshd, over the access list of a pretend datacentre. */
export interface Pveum {
  /** How it was called, a line each. */
  readonly calls: string[];
  /** Refuses what begins with these words, as for somebody without the rights, until what it gives is called. */
  refuse(words: string): () => void;
  /** Does what begins with these words, but does not come to an end; resolves once it is there. */
  hang(words: string): Promise<void>;
  stop(): Promise<void>;
}

interface Said {
  readonly code: number;
  readonly out?: string;
  readonly err?: string;
}

const json = (value: unknown): Said => ({ code: 0, out: JSON.stringify(value) });
const done: Said = { code: 0 };
const fail = (err: string): Said => ({ code: 255, err: `${err}\n` });
const wrong = (parameter: string, why: string): Said =>
  fail(`400 Parameter verification failed.\n${parameter}: ${why}`);

/** Puts both programs into the folder `bin` of the server, which its PATH has first when it has containers. */
export async function startPveum(world: World, folder: string, version = '9.1.2'): Promise<Pveum> {
  const calls: string[] = [];
  const refused = new Set<string>();
  const hanging = new Map<string, () => void>();
  const open = new Set<Socket>();
  const server = createServer(async (socket) => {
    open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)));
    const argv = await argumentsFrom(socket);
    calls.push(argv.join(' '));
    const barred = [...refused].some((words) => argv.join(' ').startsWith(words));
    const said = barred
      ? fail('403 Permission check failed (/access, Permissions.Modify)')
      : answer(argv, world.access);
    const [words, there] = [...hanging].find(([begin]) => argv.join(' ').startsWith(begin)) ?? [];
    if (words !== undefined) {
      hanging.delete(words);
      return there?.();
    }
    socket.end(`${said.code}\n${said.out ?? said.err ?? ''}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const root = `if [ "$(id -u)" != 0 ]; then echo 'please run as root' >&2; exit 255; fi`;
  const program = `#!/bin/bash
${root}
exec 3<>/dev/tcp/127.0.0.1/${port}
printf '%s\\0' "$#" "$@" >&3
read -r code <&3
if [ "$code" = 0 ]; then cat <&3; else cat <&3 >&2; fi
exit "$code"
`;
  writeFileSync(join(folder, 'bin', 'pveum'), program, { mode: 0o755 });
  writeFileSync(join(folder, 'bin', 'pveversion'), `#!/bin/sh\necho pve-manager/${version}/abcdef\n`, { mode: 0o755 });
  return {
    calls,
    refuse(words) {
      refused.add(words);
      return () => void refused.delete(words);
    },
    hang: (words) => new Promise((resolve) => hanging.set(words, resolve)),
    async stop() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** What the program sends: how many words, and the words, each with a NUL after it. */
async function argumentsFrom(socket: Socket): Promise<string[]> {
  let sent = '';
  for await (const [chunk] of on(socket, 'data')) {
    sent += chunk;
    const [count, ...words] = sent.split('\0');
    if (words.length > Number(count)) return words.slice(0, -1);
  }
  return [];
}

const option = (argv: readonly string[], name: string): string | undefined => {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
};

/** What pveum says (pve-access-control, PVE::CLI::pveum and PVE::API2::User, Role, ACL). */
function answer(argv: readonly string[], access: Access): Said {
  const [noun, verb] = argv;
  if (noun === 'user' && verb === 'token') return token(argv.slice(2), access);
  if (noun === 'user') return user(argv.slice(1), access);
  if (noun === 'role') return role(argv.slice(1), access);
  if (noun === 'acl') return acl(argv.slice(1), access);
  return fail(`ERROR: unknown command 'pveum ${argv.join(' ')}'`);
}

function user([verb, id = '', ...rest]: readonly string[], access: Access): Said {
  const at = access.users.findIndex(({ userid }) => userid === id);
  if (verb === 'list') return json(access.users.map(({ userid }) => ({ userid, enable: 1 })));
  if (verb === 'add') {
    if (at >= 0) return fail(`create user failed: user '${id}' already exists`);
    access.users.push({ userid: id, comment: option(rest, '--comment') });
    return done;
  }
  if (verb !== 'delete') return fail('unknown');
  if (at < 0) return fail(`delete user failed: user '${id}' does not exist`);
  access.users.splice(at, 1);
  removeAll(access.tokens, ({ user: owner }) => owner === id);
  removeAll(access.acl, ({ ugid }) => ugid === id || ugid.startsWith(`${id}!`));
  return done;
}

function token([verb, owner = '', name = '', ...rest]: readonly string[], access: Access): Said {
  const own = access.tokens.filter((one) => one.user === owner);
  if (!access.users.some(({ userid }) => userid === owner)) return fail(`no such user ('${owner}')`);
  if (verb === 'list')
    return json(own.map(({ tokenid, privsep, expire }) => ({ tokenid, privsep: privsep ? 1 : 0, expire })));
  const there = own.find(({ tokenid }) => tokenid === name);
  if (verb === 'remove') {
    if (!there) return fail(`no such token '${name}' for user '${owner}'`);
    removeAll(access.tokens, (one) => one === there);
    return done;
  }
  if (there) return wrong('tokenid', 'Token already exists.');
  const privsep = option(rest, '--privsep') ?? '1';
  const value = '99999999-2222-4333-8444-555555555555';
  const expire = Number(option(rest, '--expire') ?? 0);
  access.tokens.push({ user: owner, tokenid: name, value, privsep: privsep === '1', expire });
  return json({ 'full-tokenid': `${owner}!${name}`, info: { privsep }, value });
}

function role([verb, id = '', ...rest]: readonly string[], access: Access): Said {
  const there = access.roles.find(({ roleid }) => roleid === id);
  const privileges = (option(rest, '--privs') ?? '').split(/[\s,]+/).filter(Boolean);
  if (verb === 'list') {
    const own = ['Administrator', 'PVEAuditor'].map((roleid) => ({
      roleid,
      privs: rolePrivileges(roleid).join(','),
      special: 1,
    }));
    return json([...own, ...access.roles.map((one) => ({ roleid: one.roleid, privs: one.privileges.join(',') }))]);
  }
  const unknown = privileges.find((one) => !rolePrivileges('Administrator').includes(one));
  if (unknown) return wrong('privs', `invalid format - invalid privilege '${unknown}'`);
  if (verb === 'add') {
    if (there) return fail(`create role failed: role '${id}' already exists`);
    access.roles.push({ roleid: id, privileges });
    return done;
  }
  if (!there) return fail(`${verb} role failed: role '${id}' does not exist`);
  if (verb === 'modify') there.privileges = privileges;
  else removeAll(access.roles, (one) => one === there);
  return done;
}

function acl([verb, path = '', ...rest]: readonly string[], access: Access): Said {
  if (verb === 'list') return json(access.acl.map((one) => ({ ...one, propagate: one.propagate ? 1 : 0 })));
  const type = rest.includes('--tokens') ? ('token' as const) : ('user' as const);
  const ugid = option(rest, `--${type}s`) ?? '';
  const roleid = option(rest, '--roles') ?? '';
  const knownRole = access.roles.some((one) => one.roleid === roleid) || rolePrivileges(roleid).length > 0;
  const owner = ugid.split('!')[0];
  const knownUser = access.users.some(({ userid }) => userid === owner);
  const knownToken = type === 'user' || access.tokens.some((one) => `${one.user}!${one.tokenid}` === ugid);
  if (!knownRole) return fail(`ACL update failed: role '${roleid}' does not exist`);
  if (!knownUser) return fail(`ACL update failed: user '${owner}' does not exist`);
  if (!knownToken) return fail(`ACL update failed: no such token '${ugid.split('!')[1]}' for user '${owner}'`);
  removeAll(access.acl, (one) => one.path === path && one.type === type && one.ugid === ugid && one.roleid === roleid);
  if (verb === 'modify') access.acl.push({ path, type, ugid, roleid, propagate: true });
  return done;
}

function removeAll<T>(list: T[], is: (one: T) => boolean): void {
  for (let i = list.length - 1; i >= 0; i--) if (is(list[i] as T)) list.splice(i, 1);
}
