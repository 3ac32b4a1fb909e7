import type { Access, Token } from '../world/access.ts';
import { rolePrivileges } from './roles.ts';

/** Who is calling, and what it may do. */
export interface Identity {
  readonly user: string;
  readonly tokenid: string;
  /** `root@pam!mcp` */
  readonly name: string;
  /** Privileges on a path; true when they reach below it too. */
  privileges(path: string): ReadonlyMap<string, boolean>;
  /** Any of the privileges on the path. */
  may(path: string, ...any: string[]): boolean;
}

/**
 * The identity of an Authorization header. `No ticket` without or with another scheme, `Authentication failed!` for a
 * token that is unknown, expired, malformed or has another secret (recordings auth-*).
 */
export function identify(
  header: string | undefined,
  access: Access,
  nowMs: number,
): Identity | { readonly reason: string } {
  const value = /^PVEAPIToken[= ](.+)$/.exec(header ?? '')?.[1];
  if (value === undefined) return { reason: 'No ticket' };
  const parts = /^([^!]+)!([^=]+)=(.+)$/.exec(safeDecode(value));
  const token = access.tokens.find((candidate) => candidate.user === parts?.[1] && candidate.tokenid === parts[2]);
  const expired = token !== undefined && token.expire !== 0 && token.expire * 1000 <= nowMs;
  if (!token || token.value !== parts?.[3] || expired) return { reason: 'Authentication failed!' };
  return identityOf(token, access);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function identityOf(token: Token, access: Access): Identity {
  const name = `${token.user}!${token.tokenid}`;
  const privileges = (path: string): Map<string, boolean> => {
    const user = grants(access, 'user', token.user, path);
    if (!token.privsep) return user;
    const own = grants(access, 'token', name, path);
    return new Map([...own].filter(([privilege]) => user.has(privilege)));
  };
  return {
    user: token.user,
    tokenid: token.tokenid,
    name,
    privileges,
    may: (path, ...any) => any.some((privilege) => privileges(path).has(privilege)),
  };
}

const privilegesOf = ({ roles }: Access, role: string): readonly string[] =>
  roles.find(({ roleid }) => roleid === role)?.privileges ?? rolePrivileges(role);

/** What the access list gives on `path`: the entries of the nearest ancestor that has any (PVE::AccessControl). */
function grants(access: Access, type: 'user' | 'token', ugid: string, path: string): Map<string, boolean> {
  if (type === 'user' && ugid === 'root@pam')
    return new Map(rolePrivileges('Administrator').map((name) => [name, true]));
  const parts = path.split('/').filter((part) => part !== '');
  let granted = new Map<string, boolean>();
  for (let depth = 0; depth <= parts.length; depth++) {
    const here = `/${parts.slice(0, depth).join('/')}`;
    const entries = access.acl.filter((entry) => entry.type === type && entry.ugid === ugid && entry.path === here);
    const reaching = entries.filter((entry) => entry.propagate || depth === parts.length);
    if (entries.length === 0) continue;
    granted = new Map(
      reaching.flatMap((entry) => privilegesOf(access, entry.roleid).map((name) => [name, entry.propagate])),
    );
  }
  return granted;
}
