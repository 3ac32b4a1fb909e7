import type { Task } from '../../world.ts';
import { type Call, type Handlers, Reply } from '../call.ts';
import { badParameters, denied } from '../errors.ts';
import { splitList } from '../formats.ts';

const shown = ({ upid, node, starttime, type, id, by, endtime, exitstatus }: Task) => ({
  upid,
  node,
  starttime,
  type,
  id,
  user: by.user,
  ...(by.tokenid === undefined ? {} : { tokenid: by.tokenid }),
  ...(exitstatus === undefined ? {} : { endtime, status: exitstatus }),
});

const owns = (call: Call, task: Task): boolean =>
  task.by.user === call.who.user && (task.by.tokenid === undefined || task.by.tokenid === call.who.tokenid);

const sees = (call: Call, task: Task): boolean => owns(call, task) || call.who.may(`/nodes/${task.node}`, 'Sys.Audit');

function statusType(task: Task): string {
  if (task.exitstatus === 'OK') return 'ok';
  if (task.exitstatus === 'unexpected status') return 'unknown';
  return task.exitstatus?.startsWith('WARNINGS') ? 'warning' : 'error';
}

/** `archive`, the default, does not know the tasks that still run. */
function list(call: Call): Reply {
  const wanted = splitList(call.text('statusfilter'));
  const source = call.text('source', 'archive');
  const rows = call.world.tasks
    .filter((task) => task.node === call.text('node') && sees(call, task))
    .filter((task) => source === 'all' || (source === 'active') === (task.exitstatus === undefined))
    .filter((task) => !call.has('vmid') || task.id === call.text('vmid'))
    .filter((task) => !call.has('typefilter') || task.type === call.text('typefilter'))
    .filter((task) => !call.has('userfilter') || task.by.user.includes(call.text('userfilter')))
    .filter((task) => !call.has('since') || task.starttime >= call.int('since'))
    .filter((task) => !call.has('until') || task.starttime <= call.int('until'))
    .filter((task) => !call.flag('errors') || !['ok', 'warning'].includes(statusType(task)))
    .filter((task) => wanted.length === 0 || (task.exitstatus !== undefined && wanted.includes(statusType(task))))
    .toReversed();
  const start = call.int('start');
  const page = rows.slice(start, start + call.int('limit', 50));
  return new Reply(
    page.map((task) => ({ ...shown(task), pid: task.pid, pstart: task.pstart })),
    { total: rows.length },
  );
}

/** Recent tasks of all nodes; what a token may not audit is left out, `saved` is a string (recording c-ctasks). */
const recent = (call: Call): unknown[] =>
  call.world.tasks
    .filter((task) => owns(call, task) || call.who.may('/', 'Sys.Audit'))
    .toReversed()
    .slice(0, 25)
    .map((task) => ({ ...shown(task), saved: task.exitstatus === undefined ? '0' : '1' }));

function find(call: Call, privilege: 'Sys.Audit' | 'Sys.Modify'): Task {
  const upid = call.text('upid');
  if (!/^UPID:[^\s:/]+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^\s:/]+:[^\s:/]*:[^\s:/]+:$/.test(upid)) {
    throw badParameters({ upid: 'unable to parse worker upid' });
  }
  const task = call.world.task(upid);
  if (task === undefined || task.node !== call.text('node')) throw badParameters({ upid: 'no such task' });
  const path = `/nodes/${task.node}`;
  if (!owns(call, task) && !call.who.may(path, privilege)) throw denied(path, [privilege]);
  return task;
}

function status(call: Call): unknown {
  const task = find(call, 'Sys.Audit');
  const { status: exitstatus, endtime: _, ...rest } = shown(task);
  const state = exitstatus === undefined ? { status: 'running' } : { status: 'stopped', exitstatus };
  return { ...rest, ...state, pid: task.pid, pstart: task.pstart };
}

/** Lines are counted from 1; an empty log has one line that says so, and is not part of it. */
function log(call: Call): Reply {
  const task = find(call, 'Sys.Audit');
  if (call.flag('download')) return new Reply(task.log.map((line) => `${line}\n`).join(''), { text: true });
  const lines = task.log.length === 0 ? ['no content'] : task.log;
  const start = call.int('start');
  const limit = call.int('limit', 50);
  const page = lines.map((t, i) => ({ n: i + 1, t })).slice(start, limit === 0 ? undefined : start + limit);
  return new Reply(page, { total: lines.length });
}

export const taskHandlers: Handlers = {
  'GET /cluster/tasks': recent,
  'GET /nodes/{node}/tasks': list,
  'GET /nodes/{node}/tasks/{upid}/status': status,
  'GET /nodes/{node}/tasks/{upid}/log': log,
  'DELETE /nodes/{node}/tasks/{upid}': (call) => {
    call.world.cancel(find(call, 'Sys.Modify').upid);
    return null;
  },
};
