import { Failure } from '../failure.ts';
import type { ClusterNode } from './hostbook.ts';
import { oneSpelling } from './sameaddress.ts';

/** The nodes of all clusters, and what those without one of their own belong to. */
interface Known {
  readonly nodes: readonly ClusterNode[];
  readonly mainCluster: string;
}

const at = (address: string, { nodes }: Known): readonly ClusterNode[] =>
  nodes.filter((each) => each.address !== undefined && oneSpelling(each.address) === oneSpelling(address));

/** The cluster of a host, by its name, or by an address that one cluster alone has. */
export function clusterOfHost(name: string, address: string, known: Known): string {
  const { nodes, mainCluster } = known;
  const node = nodes.find((each) => each.name === name);
  if (node) return node.cluster ?? mainCluster;
  const [only = mainCluster, ...others] = new Set(at(address, known).map(({ cluster = mainCluster }) => cluster));
  return others.length > 0 ? mainCluster : only;
}

/**
 * Throws where a node of a further cluster would be reached at the address of another cluster's: two sites may well use
 * the same, and a container's commands must not run in another one of its VMID. `settings`: addresses of the first.
 */
export function refuseOthers(
  { name, address, cluster }: ClusterNode,
  settings: readonly (string | undefined)[],
  known: Known,
): void {
  if (address === undefined) return;
  const other = at(address, known).find((each) => each.cluster !== cluster);
  const ofSettings = settings.some((one) => one !== undefined && oneSpelling(one) === oneSpelling(address));
  if (!other && !ofSettings) return;
  throw new Failure(
    'misconfigured',
    `${name} is said to be at ${address}, and so is ${other?.name ?? 'the host of the settings'}, of ${other?.cluster ?? known.mainCluster}.`,
    `Describe ${name} in the inventory file with the address, and "via" if need be, by which it is reached from here.`,
  );
}
