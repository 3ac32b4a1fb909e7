import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, remote } from '../../present/answer.ts';
import { parseUpid, taskLog, taskStatus, waitForTask } from '../../pve/task.ts';
import { iso } from '../format.ts';
import { upid, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { verdict } from './tasks.ts';

/** Waits until the task ended or the time is over. That it failed is what was asked for, so it is not a failure here. */
async function wait(upid: string, seconds: number, context: ToolContext): Promise<void> {
  try {
    const { pve, signal } = context;
    const onProgress = (message: string) => context.progress(message);
    await waitForTask(pve, upid, { waitMs: seconds * 1000, signal, onProgress });
  } catch (error) {
    if (!(error instanceof Failure && error.kind === 'task-failed')) throw error;
  }
}

const told = { running: 'is running', ok: 'ended OK', warnings: 'ended with warnings', failed: 'failed' } as const;

export default definePveTool({
  name: 'pve_task_get',
  title: 'Look at one task',
  effect: 'read',
  core: true,
  summary:
    'State of a task and the end of its log. With wait_s it waits for the end: how to go on with a change that ' +
    'still ran when its tool answered.',
  search: 'status progress log wait finished upid job output result',
  input: {
    upid,
    wait_s: waitSeconds.default(0).describe('Seconds to wait, up to 600.'),
    log_lines: z.number().int().min(0).max(500).default(20).describe('Lines from the end of its log.'),
  },

  async run({ upid, wait_s, log_lines }, context) {
    const { pve, signal } = context;
    const id = parseUpid(upid);
    if (wait_s > 0) await wait(upid, wait_s, context);
    const status = await taskStatus(pve, upid, { signal });
    const log = log_lines > 0 ? await taskLog(pve, upid, { signal, lines: log_lines }) : undefined;
    const state = status.running ? 'running' : verdict(status.exit ?? '');
    return answer(`${id.type}${id.id ? ` of ${id.id}` : ''} on ${id.node} ${told[state]}`, {
      upid,
      type: id.type,
      id: id.id || undefined,
      node: id.node,
      user: id.user,
      started: iso(id.startTime),
      state,
      reason: status.exit && (state === 'failed' || state === 'warnings') ? remote(status.exit) : undefined,
      log: log && log.total > 0 ? remote(log.lines.join('\n')) : undefined,
      log_lines_in_all: log && log.total > log.lines.length ? log.total : undefined,
      next: state === 'running' ? 'Call again with wait_s to wait for its end.' : undefined,
    });
  },
});
