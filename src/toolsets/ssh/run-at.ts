import type { Command, Streams } from '../../ssh/client.ts';
import type { JobRun } from '../../ssh/jobs.ts';
import type { Reading } from '../../ssh/reading.ts';
import type { ToolContext } from '../tool.ts';
import { runInVm, type VmResult } from '../vm/run.ts';
import type { Place } from './place.ts';

/** A command without its place. `sudo` means nothing in a guest, where root runs it unless `user` says otherwise. */
export interface Work extends Omit<Command, 'container' | 'stdin'> {
  readonly stdin?: string;
}

/**
 * Runs it on the host, in the container, or in the VM by its guest agent, which takes no streams. `job`: it is the
 * job's, and no longer the call's.
 */
export async function runAt(
  place: Place,
  work: Work,
  context: ToolContext,
  streams?: Streams,
  job?: JobRun,
): Promise<VmResult> {
  if ('guest' in place) return runInVm(place, work, context, job);
  const { host, container } = place;
  return { ...(await context.ssh.run(host.spec, { ...work, container }, streams, job)), cut: [] };
}

/** The same of what changes nothing, which read-only mode lets through over SSH; an agent takes no command there. */
export async function lookAt(
  place: Place,
  reading: Reading,
  args: readonly string[],
  work: Omit<Work, 'script'>,
  context: ToolContext,
  streams?: Streams,
): Promise<VmResult> {
  if ('guest' in place) return runInVm(place, { ...work, script: reading.script(args) }, context);
  const { host, container } = place;
  return { ...(await context.ssh.look(host.spec, reading, args, { ...work, container }, streams)), cut: [] };
}
