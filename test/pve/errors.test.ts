import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/failure.ts';
import { path } from '../../src/pve/path.ts';
import { Secret } from '../../src/secret.ts';
import { tally } from '../figures.ts';
import { answer, json, refusal } from '../rig/tls.ts';
import { anything, failureOf, rigged, secret } from './rigged.ts';

const config = path`/nodes/${'pve1'}/lxc/${400}/config`;

describe("an error of the server's own wording", () => {
  it.each<[number, string, FailureKind, string]>([
    [500, "Configuration file 'nodes/pve1/lxc/400.conf' does not exist", 'not-found', 'Look the guest up again'],
    [500, "unable to find configuration file for VM 201 on node 'pve1'", 'not-found', 'Look the guest up again'],
    [500, "hostname lookup 'nosuch' failed - failed to get address info for: nosuch", 'not-found', 'Name a node'],
    [500, "no such cluster node 'pve9'", 'not-found', 'Name a node'],
    [500, "storage 'nas' does not exist", 'not-found', 'Check the name'],
    [500, "no such user ('x@pve')", 'not-found', 'Check the name'],
    [500, 'CT is locked (backup)', 'conflict', 'pct unlock 400'],
    [500, 'VM is locked (snapshot)', 'conflict', 'qm unlock 400'],
    [500, "can't lock file '/run/lock/lxc/pve-config-400.lock' - got timeout", 'conflict', 'Wait for it to end'],
    [500, 'cluster not ready - no quorum?', 'conflict', 'quorum'],
    [500, "unable to open file '/etc/pve/nodes/pve2/lxc/400.conf.tmp.1635' - Permission denied", 'conflict', 'quorum'],
    [500, "create user failed: cfs-lock 'file-user_cfg' error: no quorum!", 'conflict', 'quorum'],
    [500, 'detected modified configuration - file changed by other user? Try again.', 'conflict', 'Read it again'],
    [500, 'CT 400 already running', 'conflict', 'nothing was changed'],
    [500, 'CT 400 not running', 'conflict', 'power state'],
    [500, 'unable to destroy CT 400 - container is running', 'conflict', 'power state'],
    [500, "CT 400 already exists on node 'pve1'", 'conflict', 'another id'],
    [500, "can't remove CT 400 - protection mode enabled", 'conflict', 'protection'],
    [500, "only root can set 'args' config", 'permission', 'no token may do it'],
    [500, 'No QEMU guest agent configured', 'conflict', 'qemu-guest-agent'],
    [501, "Method 'GET /nosuch' not implemented", 'not-found', 'no such call'],
    [500, 'something never heard of', 'remote-error', 'own message'],
  ])('%i %s', async (status, message, kind, cure) => {
    const { pve } = await rigged(refusal(status, message));
    const failure = await failureOf(pve.put(config, { memory: 512 }));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(message);
    expect(failure.message).toContain('PUT /nodes/pve1/lxc/400/config');
    expect(failure.hint).toContain(cure);
    expect(failure.facts.status).toBe(status);
  });

  it('400 lists each parameter with its reason', async () => {
    const errors = {
      memory: "type check ('integer') failed - got 'lots'",
      net1: 'invalid format - format error\nnet1.name: missing',
    };
    const { pve } = await rigged(refusal(400, 'Parameter verification failed.', errors));
    const failure = await failureOf(pve.put(config, {}));
    expect(failure.kind).toBe('invalid-input');
    expect(failure.message).toContain(
      "memory: type check ('integer') failed - got 'lots'; net1: invalid format - format error net1.name: missing",
    );
  });

  it("400 goes by the reason, not by what a caller's value happens to say", async () => {
    const errors = { schedule: "invalid format - invalid calendar event 'no such'" };
    const { pve } = await rigged(refusal(400, 'Parameter verification failed.', errors));
    expect((await failureOf(pve.post(path`/cluster/backup`))).kind).toBe('invalid-input');
  });

  it('keeps the whole message where the reason phrase is cut at its first line', async () => {
    const { pve } = await rigged(refusal(500, 'first line\nsecond line'));
    expect((await failureOf(pve.get(config, anything))).message).toContain('first line second line');
  });

  it('leaves control characters to whoever renders the text', async () => {
    const { pve } = await rigged(answer(500, 'x', JSON.stringify({ data: null, message: 'red \u001b[31malert' })));
    expect((await failureOf(pve.get(config, anything))).message).toContain('red \u001b[31malert');
  });
});

describe('401', () => {
  it.each(['Authentication failed!', 'No ticket'])('%s: what to check, with the pveum line', async (reason) => {
    const { pve } = await rigged(answer(401, reason));
    const failure = await failureOf(pve.get(config, anything));
    expect(failure.kind).toBe('authentication');
    expect(failure.message).toContain(`did not accept the API token root@pam!mcp: ${reason}`);
    expect(failure.hint).toContain('pveum user token list root@pam');
    expect(`${failure.message} ${failure.hint} ${JSON.stringify(failure.facts)}`).not.toContain(secret);
  });

  it('without a token: which settings to set', async () => {
    const { pve, rig } = await rigged(answer(401, 'No ticket'), { token: undefined });
    expect((await failureOf(pve.get(config, anything))).hint).toContain('PROXMOX_TOKEN_VALUE');
    expect(rig.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe('guarantee 17: a 403 names privilege, path, reason and the pveum line', () => {
  const denied = async (message: string, id = 'root@pam!mcp') => {
    const { pve } = await rigged(refusal(403, message), { token: { id, secret: new Secret(secret) } });
    return failureOf(pve.post(config));
  };

  it('root@pam has every privilege, so privilege separation is the reason', async () => {
    const failure = await denied('Permission check failed (/vms/400, VM.PowerMgmt)');
    expect(failure.kind).toBe('permission');
    expect(failure.facts).toMatchObject({ privilege: 'VM.PowerMgmt', path: '/vms/400', token: 'root@pam!mcp' });
    expect(failure.message).toContain('privilege separation of the token is the reason');
    expect(failure.hint).toBe("On the host: pveum acl modify /vms/400 --tokens 'root@pam!mcp' --roles PVEVMUser");
  });

  it('another user: both lines, for token and user', async () => {
    const failure = await denied('Permission check failed (/vms/400, VM.Config.Disk|VM.Config.CPU)', 'ops@pve!mcp');
    expect(failure.message).toContain('VM.Config.Disk or VM.Config.CPU on /vms/400');
    expect(failure.hint).toContain("pveum acl modify /vms/400 --tokens 'ops@pve!mcp' --roles PVEVMAdmin");
    expect(failure.hint).toContain("pveum acl modify /vms/400 --users 'ops@pve' --roles PVEVMAdmin");
  });

  it.each([
    ['VM.Audit', 'PVEAuditor'],
    ['VM.GuestAgent.Audit', 'PVEAuditor'],
    ['VM.Snapshot', 'PVEVMAdmin'],
    ['VM.GuestAgent.Unrestricted', 'PVEVMAdmin'],
    ['Datastore.AllocateSpace', 'PVEDatastoreUser'],
    ['Datastore.AllocateTemplate', 'PVEDatastoreAdmin'],
    ['Sys.Syslog', 'PVESysAdmin'],
    ['SDN.Use', 'PVESDNUser'],
    ['Pool.Allocate', 'PVEPoolAdmin'],
    ['User.Modify', 'PVEUserAdmin'],
    ['Group.Allocate', 'PVEUserAdmin'],
  ])('%s is held by %s', async (privilege, role) => {
    const failure = await denied(`Permission check failed (/, ${privilege})`);
    expect(failure.hint).toContain(`--roles ${role}`);
    expect(failure.hint).not.toContain('bigger step');
    tally(17, 'privileges named with the smallest role that has them', 1);
  });

  it.each(['Sys.Modify', 'Sys.PowerMgmt', 'Permissions.Modify'])(
    '%s is a bigger step, and that is told',
    async (privilege) => {
      const failure = await denied(`Permission check failed (/nodes/pve1, ${privilege})`);
      expect(failure.hint).toContain('bigger step');
      expect(failure.hint).toContain(`pveum role add`);
    },
  );

  it.each([
    'Permission check failed (user != root@pam)',
    'Permission check failed (changing the hookscript is only allowed for root@pam)',
    'Permission check failed (mount point type bind is only allowed for root@pam)',
  ])('%s: for root@pam itself only', async (message) => {
    const failure = await denied(message);
    expect(failure.message).toContain('Only root@pam itself may do this');
    expect(failure.hint).toContain('No privilege changes it');
    expect(failure.hint).not.toContain('pveum acl');
  });

  it('a call that no token may make', async () => {
    const failure = await denied(
      "Permission check failed (URI '/access/password' not available with API token, need proper ticket.\n)",
    );
    expect(failure.message).toContain('no API token');
  });

  it('a name that does not exist shows as an empty path', async () => {
    expect((await denied('Permission check failed (, Sys.Audit)')).hint).toContain('Check the name');
  });

  it('no privilege named', async () => {
    expect((await denied('Permission check failed')).hint).toContain('pveum user token permissions root@pam mcp');
  });

  it('does not put what is no path into a command', async () => {
    const failure = await denied('Permission check failed (/vms/1; reboot, VM.Audit)');
    expect(failure.hint).not.toContain('reboot');
  });
});

it('a change whose proxy had no answer names what to check', async () => {
  const { pve } = await rigged(answer(596, 'Connection timed out'));
  const failure = await failureOf(pve.post(path`/nodes/${'pve2'}/qemu/${101}/status/stop`));
  expect(failure.kind).toBe('outcome-unknown');
  expect(failure.message).toContain('596 Connection timed out');
  expect(failure.hint).toContain('VM 101 on pve2');
});

it('a guest agent that could not start the program breaks its pipe', async () => {
  const { pve } = await rigged(answer(596, 'Broken pipe'));
  const failure = await failureOf(
    pve.post(path`/nodes/${'pve1'}/qemu/${101}/agent/exec`, { command: ['/nonexistent'] }),
  );
  expect(failure.message).toContain('could not start the program');
});

it('no request goes out after an answer that is not JSON', async () => {
  const { pve, rig } = await rigged(json({ nothing: 1 }));
  expect((await failureOf(pve.get(config, anything))).message).toContain('GET /nodes/pve1/lxc/400/config');
  expect(rig.requests).toHaveLength(1);
});
