import { z } from 'zod';
import { Failure } from '../failure.ts';
import { Secret } from '../secret.ts';
import type { AsRoot } from './root.ts';

/** What a token may do, in the words in which it is chosen. */
export type Access = 'read-only' | 'operator' | 'full';

export interface TokenWish {
  /** `mcp@pve`. */
  readonly user: string;
  readonly name: string;
  readonly role: {
    readonly id: string /** Absent for a role of Proxmox VE's own. */;
    readonly privileges?: readonly string[];
  };
  /** Seconds since 1970; absent for never. */
  readonly expire?: number;
}

/** What was made on the server for one token, in the order in which it was made. */
export type Made =
  | { readonly what: 'role'; readonly role: string }
  | { readonly what: 'user'; readonly user: string }
  | { readonly what: 'user access'; readonly user: string; readonly role: string }
  | { readonly what: 'token'; readonly user: string; readonly name: string }
  | { readonly what: 'token access'; readonly token: string; readonly role: string };

const COMMENT = 'proxmox-ssh-mcp';

const refused = (what: string, said: { readonly stderr: string; readonly stdout: string }): Failure => {
  const words = (said.stderr || said.stdout).trim().split('\n').slice(0, 3).join(' ');
  if (/not found/.test(words) && /pveum/.test(words)) {
    return new Failure('misconfigured', 'The host has no pveum: it is not a Proxmox VE node.', 'Name a node of it.');
  }
  return new Failure('remote-error', `${what} failed: ${words}`, 'Nothing that was made for it is left.');
};

/** pveum's answer as JSON (`--output-format json`), held to a shape. */
async function ask<T>(run: AsRoot, args: readonly string[], shape: z.ZodType<T>): Promise<T> {
  const said = await run(['pveum', ...args, '--output-format', 'json']);
  if (said.code !== 0) throw refused(`pveum ${args.slice(0, 3).join(' ')}`, said);
  try {
    return shape.parse(JSON.parse(said.stdout));
  } catch (cause) {
    const text = `pveum ${args.slice(0, 3).join(' ')} gave an answer that is not understood.`;
    throw new Failure('remote-error', text, 'Make the token in the web interface, and give it to the setup.', {
      cause,
    });
  }
}

async function act(run: AsRoot, args: readonly string[]): Promise<void> {
  const said = await run(['pveum', ...args]);
  if (said.code !== 0) throw refused(`pveum ${args.slice(0, 3).join(' ')}`, said);
}

const users = z.array(z.object({ userid: z.string() }));
const roles = z.array(z.object({ roleid: z.string(), privs: z.string().optional() }));
const tokens = z.array(z.object({ tokenid: z.string() }));
const access = z.array(z.object({ path: z.string(), type: z.string(), ugid: z.string(), roleid: z.string() }));
const made = z.object({ 'full-tokenid': z.string(), value: z.string().min(1) });

/** Whether the user has a token of that name; a user that is not there has none. */
export async function tokenExists(run: AsRoot, user: string, name: string): Promise<boolean> {
  if (!(await ask(run, ['user', 'list'], users)).some(({ userid }) => userid === user)) return false;
  return (await ask(run, ['user', 'token', 'list', user], tokens)).some(({ tokenid }) => tokenid === name);
}

/** Major version of Proxmox VE, 8 or 9. */
export async function majorVersion(run: AsRoot): Promise<number> {
  const { code, stdout } = await run(['pveversion']);
  const major = /^pve-manager\/(\d+)\./.exec(stdout)?.[1];
  if (code === 0 && major) return Number(major);
  throw new Failure('misconfigured', 'The host does not tell a version of Proxmox VE.', 'Name a node of the cluster.');
}

/**
 * Makes a token with a role, and the user and role where they are missing. `note` hears of each thing before it is made.
 * When something fails, what was made before is taken away again, and the failure says why. A token of that name is a
 * `conflict`: its secret cannot be had any more.
 */
export async function makeToken(
  run: AsRoot,
  wish: TokenWish,
  note: (made: readonly Made[]) => void,
): Promise<{ readonly id: string; readonly secret: Secret; readonly made: readonly Made[] }> {
  const done: Made[] = [];
  const making = async (one: Made, args: readonly string[]): Promise<void> => {
    note([...done, one]);
    await act(run, args);
    done.push(one);
  };
  const { user, name, role } = wish;
  if (await tokenExists(run, user, name)) throw taken(user, name);
  try {
    await makeRole(run, role, making);
    const there = await ask(run, ['user', 'list'], users);
    if (!there.some(({ userid }) => userid === user)) {
      await making({ what: 'user', user }, ['user', 'add', user, '--comment', COMMENT]);
    }
    const separated = user !== 'root@pam';
    if (separated && !(await mayAlready(run, user, role.id))) {
      await making({ what: 'user access', user, role: role.id }, aclOf('--users', user, role.id));
    }
    note([...done, { what: 'token', user, name }]);
    const token = await ask(run, tokenArgs(wish, separated), made);
    done.push({ what: 'token', user, name });
    const id = token['full-tokenid'];
    if (separated) await making({ what: 'token access', token: id, role: role.id }, aclOf('--tokens', id, role.id));
    return { id, secret: new Secret(token.value), made: done };
  } catch (error) {
    await takeBack(run, done).catch(() => undefined);
    note([]);
    throw error;
  }
}

/** Whether the user has that role on everything, which somebody else gave it and wants it to keep. */
const mayAlready = async (run: AsRoot, user: string, role: string): Promise<boolean> =>
  (await ask(run, ['acl', 'list'], access)).some(
    ({ path, type, ugid, roleid }) => path === '/' && type === 'user' && ugid === user && roleid === role,
  );

const aclOf = (flag: string, who: string, role: string): string[] => ['acl', 'modify', '/', flag, who, '--roles', role];

const tokenArgs = ({ user, name, expire }: TokenWish, separated: boolean): string[] => [
  ...['user', 'token', 'add', user, name, '--privsep', separated ? '1' : '0', '--comment', COMMENT],
  ...(expire === undefined ? [] : ['--expire', String(expire)]),
];

const taken = (user: string, name: string): Failure =>
  new Failure(
    'conflict',
    `${user} has a token called ${name} already, and its secret cannot be read any more.`,
    'Choose another name (--token-name), or give its secret (--token-file).',
  );

/** A role of our own is made, or set to these privileges when it is there. */
async function makeRole(
  run: AsRoot,
  { id, privileges }: TokenWish['role'],
  making: (one: Made, args: readonly string[]) => Promise<void>,
): Promise<void> {
  if (privileges === undefined) return;
  const there = (await ask(run, ['role', 'list'], roles)).find(({ roleid }) => roleid === id);
  const held = (there?.privs ?? '').split(',').toSorted().join(' ');
  if (!there) await making({ what: 'role', role: id }, ['role', 'add', id, '--privs', privileges.join(' ')]);
  else if (held !== privileges.toSorted().join(' '))
    await act(run, ['role', 'modify', id, '--privs', privileges.join(' ')]);
}

/**
 * Takes away what was made, last first; what is gone already is no failure. Fails with the first refusal, after all the
 * rest was tried.
 */
export async function takeBack(run: AsRoot, made: readonly Made[]): Promise<void> {
  let failure: unknown;
  for (const one of made.toReversed()) {
    const { stderr, code } = await run(['pveum', ...removal(one)]);
    if (code === 0 || /does not exist|no such/i.test(stderr)) continue;
    failure ??= refused(`pveum ${removal(one).join(' ')}`, { stderr, stdout: '' });
  }
  if (failure) throw failure;
}

function removal(made: Made): string[] {
  switch (made.what) {
    case 'role':
      return ['role', 'delete', made.role];
    case 'user':
      return ['user', 'delete', made.user];
    case 'user access':
      return ['acl', 'delete', '/', '--users', made.user, '--roles', made.role];
    case 'token':
      return ['user', 'token', 'remove', made.user, made.name];
    case 'token access':
      return ['acl', 'delete', '/', '--tokens', made.token, '--roles', made.role];
  }
}
