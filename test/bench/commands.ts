import { answered, type Each, type Other, paired, type Road, type Way } from './road.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

/** So that all are warm: what is asked is what a command takes, not what a start does. */
const BEFORE = 300;
const STARTS = 9;

/** How many commands of each are compared. */
const ROUNDS: Readonly<Record<Other, number>> = { raw: 400, openssh: 200, peer: 40 };
/** What is wanted of ours: the most that it may take, as a share of theirs. */
const MOST: Readonly<Record<Other, number>> = { raw: 1.5, openssh: 1, peer: 0.1 };

/** One command after the other, each two ways by turns: p50. */
export async function oneAtATime(ways: Each<Way>, roads: Each<Road>): Promise<Row[]> {
  const { ours, library, raw } = roads;
  for (let i = 0; i < BEFORE; i += 1) for (const road of [ours, library, raw]) await answered(road);
  const rows: Row[] = [];
  for (const { mine, theirs, us, them } of paired(roads)) {
    const turn = (road: Road) => ({ work: () => timed(() => answered(road)) });
    const taken = await byTurns(ROUNDS[them], { ours: turn(mine), theirs: turn(theirs) });
    rows.push(compared({ what: ways[us].name, ...taken, beside: ways[them]?.name ?? '', most: MOST[them] }));
  }
  return rows;
}

/** Start of the process, connecting and the first command: the median. */
export async function firstCommand(ways: Each<Way>): Promise<Row[]> {
  const { ours, library, raw, openssh, peer } = ways;
  const turn = (way: Way) => ({ work: () => way.first() });
  const taken = await byTurns(STARTS, {
    ours: turn(ours),
    library: turn(library),
    raw: turn(raw),
    openssh: turn(openssh),
    ...(peer && { peer: turn(peer) }),
  });
  return paired(taken).map(({ mine, theirs, us, them }) =>
    compared({ what: ways[us].name, ours: mine, theirs, beside: ways[them]?.name ?? '' }),
  );
}
