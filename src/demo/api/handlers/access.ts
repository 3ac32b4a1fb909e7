import type { Call, Handlers } from '../call.ts';
import { ApiError, badParameters, denied } from '../errors.ts';

const table = (privileges: ReadonlyMap<string, boolean>) =>
  Object.fromEntries([...privileges].map(([name, reaches]) => [name, reaches ? 1 : 0]));

/** With a path: what one has there. Without: every path that matters to one (PVE::RPCEnvironment). */
function permissions(call: Call): unknown {
  if (call.has('path')) return { [call.text('path')]: table(call.who.privileges(call.text('path'))) };
  const usual = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];
  const paths = new Set([...usual, ...call.world.access.acl.map(({ path }) => path)]);
  const rows = [...paths].map((path) => [path, call.who.privileges(path)] as const);
  return Object.fromEntries(rows.filter(([, own]) => own.size > 0).map(([path, own]) => [path, table(own)]));
}

/** Everybody sees itself; the others take Sys.Audit or User.Modify. A token that may nothing sees nobody (n-users). */
function users(call: Call): unknown[] {
  const all = call.who.may('/access/groups', 'User.Modify', 'Sys.Audit');
  return call.world.access.users
    .filter(() => all)
    .map(({ userid, comment }) => ({
      userid,
      enable: 1,
      expire: 0,
      'realm-type': userid.split('@')[1] ?? '',
      ...(comment === undefined ? {} : { comment }),
    }));
}

/** A token sees itself and its siblings; those of others take User.Modify. */
function token(call: Call): unknown {
  const [userid, tokenid] = [call.text('userid'), call.text('tokenid')];
  if (call.who.user !== userid && !call.who.may('/access/groups', 'User.Modify')) {
    throw denied('/access/groups', ['User.Modify']);
  }
  const found = call.world.access.tokens.find((one) => one.user === userid && one.tokenid === tokenid);
  if (!found) throw new ApiError(500, `no such token '${tokenid}' for user '${userid}'\n`);
  const { comment, expire, privsep } = found;
  return { ...(comment === undefined ? {} : { comment }), expire, privsep: privsep ? 1 : 0 };
}

function addUser(call: Call): null {
  const userid = call.text('userid');
  const realm = `/access/realm/${userid.split('@')[1]}`;
  if (!call.who.may(realm, 'Realm.AllocateUser')) throw denied(realm, ['Realm.AllocateUser']);
  if (!call.world.switches.quorate) {
    throw new ApiError(500, "create user failed: cfs-lock 'file-user_cfg' error: no quorum!\n");
  }
  if (call.world.access.users.some((user) => user.userid === userid)) {
    throw new ApiError(500, `create user failed: user '${userid}' already exists\n`);
  }
  call.world.access.users.push({ userid, ...(call.has('comment') ? { comment: call.text('comment') } : {}) });
  return null;
}

function acl(call: Call): unknown[] {
  return call.world.access.acl
    .filter(({ path }) => call.who.may(path, 'Permissions.Modify', 'Sys.Audit'))
    .map((entry) => ({ ...entry, propagate: entry.propagate ? 1 : 0 }));
}

export const accessHandlers: Handlers = {
  'GET /access/permissions': permissions,
  'GET /access/users': users,
  'GET /access/users/{userid}/token/{tokenid}': token,
  'GET /access/acl': acl,
  'POST /access/users': addUser,
  'PUT /access/password': () => {
    throw badParameters({ userid: 'only for tickets' });
  },
  'POST /nodes/{node}/execute': () => {
    throw new ApiError(403, 'Permission check failed (user != root@pam)\n');
  },
};
