import { pvesOf } from './clients.ts';
import type { Cluster } from './config/clusters.ts';
import type { Loaded } from './config/load.ts';
import type { Problem } from './config/problem.ts';
import { Failure } from './failure.ts';
import type { Pve } from './pve/client.ts';
import { createSchema, type ReadSchema } from './pve/schema.ts';
import type { ClusterView, Setup, Toolset } from './toolsets/tool.ts';

/** What calls about one cluster are given. */
export interface ClusterParts extends ClusterView {
  readonly schema: ReadSchema;
}

const failureOf = (problem: Problem | undefined): Failure | undefined =>
  problem && new Failure('misconfigured', problem.cause, problem.cure);

/** The first problem that keeps a toolset from working, as the answer of all its tools. */
export const blockedBy = ({ problems }: Loaded, toolset: Toolset): Failure | undefined =>
  failureOf(problems.find(({ blocks }) => blocks?.includes(toolset)));

/** The APIs of all clusters, each held to its own mode; nothing is connected yet. */
export const guardedPves = (loaded: Loaded) =>
  pvesOf(loaded, ({ mode, problem }) => ({ readOnly: mode === 'read-only', problem: failureOf(problem) }));

/** What the process says of itself, and all that is wrong with how it was set up. */
interface Said {
  readonly version: string;
  readonly problems: readonly Problem[];
}

/** All clusters, that of the settings first; `pves` are in their order. */
export function clustersOf(
  loaded: Loaded,
  [first, ...rest]: readonly [Pve, ...Pve[]],
  said: Said,
): readonly [ClusterParts, ...ClusterParts[]] {
  const [main, ...others] = loaded.clusters;
  const parts = (cluster: Cluster, pve: Pve): ClusterParts => ({
    name: cluster.name,
    pve,
    schema: createSchema(pve, loaded.cacheFolder),
    setup: setupOf(loaded, cluster, said),
  });
  return [parts(main, first), ...others.flatMap((cluster, i) => (rest[i] ? [parts(cluster, rest[i])] : []))];
}

function setupOf(
  { settings, problems, settingsFile, clusters }: Loaded,
  { name, mode, protectedGuests, token }: Cluster,
  { version, problems: more }: Said,
): Setup {
  const { toolsets, auditFile, transferDir, taskWaitS, commandTimeoutS } = settings;
  const waits = { taskWaitMs: taskWaitS * 1000, commandTimeoutMs: commandTimeoutS * 1000 };
  return {
    version,
    mode,
    toolsets,
    protectedGuests,
    cluster: name === clusters[0].name ? undefined : name,
    clusters: clusters.length > 1 ? clusters.map((one) => ({ name: one.name, mode: one.mode })) : undefined,
    auditFile,
    transferDir,
    settingsFile,
    token: token?.id,
    // What is wrong with the inventory file may be found by both who read it.
    problems: [...problems, ...more].filter(({ cause }, i, all) => all.findIndex((one) => one.cause === cause) === i),
    ...waits,
  };
}
