/** A user of the datacentre. */
export interface User {
  readonly userid: string;
  readonly comment?: string;
}

/** An API token. `expire` is in epoch seconds, 0 for never. */
export interface Token {
  readonly user: string;
  readonly tokenid: string;
  readonly value: string;
  privsep: boolean;
  expire: number;
  readonly comment?: string;
}

/** One line of the access control list; `ugid` is a user, or `user!tokenid`. */
export interface Acl {
  readonly path: string;
  readonly type: 'user' | 'token';
  readonly ugid: string;
  readonly roleid: string;
  readonly propagate: boolean;
}

/** A role that somebody made. */
export interface Role {
  readonly roleid: string;
  privileges: readonly string[];
}

export interface Access {
  /** Besides those of Proxmox VE's own. */
  readonly roles: Role[];
  readonly users: User[];
  readonly tokens: Token[];
  readonly acl: Acl[];
}

const secret = (digit: number): string => `${String(digit).repeat(8)}-2222-4333-8444-555555555555`;

/**
 * Tokens: `root@pam!mcp` (all of root's rights), `mcp@pve!auditor`, `mcp@pve!operator` and `mcp@pve!nothing`
 * (privilege-separated: PVEAuditor, PVEVMAdmin and PVEAuditor, no role), `root@pam!expired` (since yesterday).
 */
export function homelabAccess(start: number): Access {
  const yesterday = Math.floor(start / 1000) - 86_400;
  return {
    roles: [],
    users: [{ userid: 'root@pam' }, { userid: 'mcp@pve', comment: 'AI operator' }],
    tokens: [
      { user: 'root@pam', tokenid: 'mcp', value: secret(1), privsep: false, expire: 0 },
      { user: 'mcp@pve', tokenid: 'auditor', value: secret(2), privsep: true, expire: 0, comment: 'reads only' },
      { user: 'mcp@pve', tokenid: 'operator', value: secret(3), privsep: true, expire: 0 },
      { user: 'mcp@pve', tokenid: 'nothing', value: secret(4), privsep: true, expire: 0 },
      { user: 'root@pam', tokenid: 'expired', value: secret(5), privsep: false, expire: yesterday },
    ],
    acl: [
      { path: '/', type: 'user', ugid: 'mcp@pve', roleid: 'Administrator', propagate: true },
      { path: '/', type: 'token', ugid: 'mcp@pve!auditor', roleid: 'PVEAuditor', propagate: true },
      { path: '/', type: 'token', ugid: 'mcp@pve!operator', roleid: 'PVEAuditor', propagate: true },
      { path: '/vms', type: 'token', ugid: 'mcp@pve!operator', roleid: 'PVEVMAdmin', propagate: true },
    ],
  };
}
