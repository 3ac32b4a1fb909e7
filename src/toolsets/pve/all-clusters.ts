import { asFailure } from '../../failure.ts';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import { orAfter } from '../deadline.ts';
import type { ClusterView, ToolContext } from '../tool.ts';
import { noted } from './attempt.ts';
import { type Seen, seeDatacentre } from './datacentre.ts';

/** A look at a cluster, or why there is none. */
type Look = { readonly cluster: string; readonly headline: string } & (
  | { readonly facts: Facts }
  | { readonly note: string }
);

/** Nobody waits longer for a cluster that is away when another one has answered. */
const PATIENCE_MS = 10_000;

/** What is told of the datacentre, or of each cluster where there are several; one that cannot be read is a note. */
export async function tellDatacentre(
  { pve, clusters, signal }: Pick<ToolContext, 'pve' | 'clusters' | 'signal'>,
  factsOf: (seen: Seen) => Facts,
): Promise<Answer> {
  if (clusters === undefined) {
    const seen = await seeDatacentre({ pve, signal });
    return answer(seen.headline, factsOf(seen));
  }
  const looks = await Promise.all(clusters.map((cluster) => lookAt(cluster, signal, factsOf)));
  const headline = looks.map((one) => `${one.cluster}: ${one.headline}`).join('. ');
  return answer(headline, {
    clusters: looks.flatMap((one) => ('facts' in one ? [{ in_cluster: one.cluster, ...one.facts }] : [])),
    notes: noted(looks.flatMap((one) => ('note' in one ? [`${one.cluster}: ${one.note}`] : []))),
  });
}

async function lookAt(
  { name: cluster, pve }: ClusterView,
  signal: AbortSignal,
  factsOf: (seen: Seen) => Facts,
): Promise<Look> {
  const inTime = orAfter(signal, PATIENCE_MS);
  try {
    const seen = await seeDatacentre({ pve, signal: inTime });
    return { cluster, headline: seen.headline, facts: factsOf(seen) };
  } catch (error) {
    if (signal.aborted) throw error;
    const late = `No answer within ${PATIENCE_MS / 1000} s.`;
    const { kind, message, hint } = asFailure(error);
    return inTime.aborted
      ? { cluster, headline: 'no answer', note: late }
      : { cluster, headline: `could not be read (${kind})`, note: `${message} ${hint}` };
  }
}
