import { Failure } from '../failure.ts';
import type { Asked } from './errors.ts';

/** 401: the token itself was not accepted. PVE tells nothing more, whatever is wrong with it. */
export function refusedToken(asked: Asked, message: string): Failure {
  if (asked.token === undefined) {
    return new Failure(
      'authentication',
      `${asked.endpoint} wants an API token, and none is set.`,
      'Set PROXMOX_USER, PROXMOX_TOKEN_NAME and PROXMOX_TOKEN_VALUE; `pveum user token add USER@REALM NAME` on the host makes a token.',
    );
  }
  const [user = '', name = ''] = asked.token.split('!');
  return new Failure(
    'authentication',
    `${asked.endpoint} did not accept the API token ${asked.token}: ${message}`,
    `Its user, name or secret is wrong, or the token or its user is expired or disabled. On the host, \`pveum user token list ${user}\` shows the tokens and when they expire; a lost secret cannot be read again: \`pveum user token remove ${user} ${name}\`, then \`pveum user token add ${user} ${name}\`, and set PROXMOX_TOKEN_VALUE.`,
    { facts: { status: 401, token: asked.token }, said: message },
  );
}

/** 403: names privilege and path, the likely reason, and the line that cures it. */
export function denied(asked: Asked, message: string): Failure {
  const token = asked.token ?? 'USER@REALM!TOKEN';
  const why = reasonOf(message, token);
  return new Failure(
    'permission',
    `${asked.endpoint} denied ${asked.method} ${asked.path} to ${token}: ${message}. ${why.reason}`,
    why.cure,
    { facts: { status: 403, token, ...why.facts }, said: message },
  );
}

interface Reason {
  readonly reason: string;
  readonly cure: string;
  readonly facts: { readonly privilege?: string; readonly path?: string };
}

function reasonOf(message: string, token: string): Reason {
  if (/not available with API token/.test(message)) {
    return {
      reason: 'Proxmox VE lets no API token make this call.',
      cure: 'Log in to the web interface for this, or use SSH; no privilege changes it.',
      facts: {},
    };
  }
  if (/root@pam/.test(message)) {
    return {
      reason: 'Only root@pam itself may do this; a token of root@pam is not root@pam.',
      cure: 'No privilege changes it. Do it over SSH as root, with pct or qm, or in the web interface as root@pam.',
      facts: {},
    };
  }
  const [, path, privileges] = /\(([\w./-]*), *([A-Za-z.|]+)\)/.exec(message) ?? [];
  if (path === undefined || privileges === undefined) return unnamed(token);
  if (path === '') {
    return {
      reason: `It needs ${privileges} on something that does not exist.`,
      cure: 'Check the name of the node, storage or guest; list what there is first.',
      facts: { privilege: privileges },
    };
  }
  return { ...lacking(path, privileges.split('|'), token), facts: { privilege: privileges, path } };
}

function lacking(path: string, privileges: readonly string[], token: string): Omit<Reason, 'facts'> {
  const [user = ''] = token.split('!');
  const missing = `${privileges.join(' or ')} on ${path}`;
  const why =
    user === 'root@pam'
      ? 'root@pam has every privilege, so privilege separation of the token is the reason.'
      : `With privilege separation (the default) both the token and its user ${user} need it; without, only the user does.`;
  const [first = ''] = privileges;
  return { reason: `The token lacks ${missing}. ${why}`, cure: granting(path, first, token) };
}

/** The pveum lines that give a token a privilege on a path, by the smallest built-in role that holds it. */
export function granting(path: string, privilege: string, token: string): string {
  const [user = ''] = token.split('!');
  const { role, caution } = roleFor(privilege);
  const line = `pveum acl modify ${path} --tokens '${token}' --roles ${role}`;
  const both =
    user === 'root@pam'
      ? ''
      : ` — and, unless ${user} has it already: pveum acl modify ${path} --users '${user}' --roles ${role}`;
  return `On the host: ${line}${both}${caution}`;
}

const unnamed = (token: string): Reason => ({
  reason: 'Proxmox VE does not say which privilege is missing.',
  cure: `On the host, \`pveum user token permissions ${token.replace('!', ' ')}\` shows what the token may do; creating a guest needs VM.Allocate on /vms/ID, Datastore.AllocateSpace on the storage and SDN.Use on the bridge (roles PVEVMAdmin, PVEDatastoreUser, PVESDNUser).`,
  facts: {},
});

/**
 * The smallest built-in role that holds a privilege (pve-access-control, PVE/AccessControl.pm). Built-in ones hold the
 * category's audit privilege too, which matters: a role on a path replaces those inherited from above it.
 */
function roleFor(privilege: string): { readonly role: string; readonly caution: string } {
  const [category = ''] = privilege.split('.');
  if (adminOnly.has(privilege)) {
    return {
      role: 'Administrator',
      caution: ` — a bigger step: no smaller built-in role holds ${privilege}. \`pveum role add NAME --privs ${privilege},${category === 'Sys' ? 'Sys.Audit' : privilege}\` makes a small one to use instead.`,
    };
  }
  if (/\.Audit$/.test(privilege)) return { role: 'PVEAuditor', caution: '' };
  if (userRoles.has(privilege)) return { role: `PVE${category}User`, caution: '' };
  return { role: `PVE${categories.get(category) ?? category}Admin`, caution: '' };
}

const adminOnly: ReadonlySet<string> = new Set([
  'Sys.PowerMgmt',
  'Sys.Modify',
  'Sys.Incoming',
  'Sys.AccessNetwork',
  'Permissions.Modify',
  'Realm.Allocate',
]);

const userRoles: ReadonlySet<string> = new Set([
  'VM.Config.CDROM',
  'VM.Config.Cloudinit',
  'VM.Console',
  'VM.Backup',
  'VM.PowerMgmt',
  'Datastore.AllocateSpace',
  'SDN.Use',
  'Mapping.Use',
]);

/** Privileges whose role is not named after them. */
const categories: ReadonlyMap<string, string> = new Map([
  ['Group', 'User'],
  ['Realm', 'User'],
]);
