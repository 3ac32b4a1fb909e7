import { answered, type Each, paired, type Road, type Way } from './road.ts';
import { compared, type Row } from './table.ts';
import { byTurns, timed } from './timing.ts';

/** So that all are warm: what is asked is what a command takes, not what a start does. */
const BEFORE = 100;
const ROUNDS = 400;
/** A command of the peer takes so long that fewer have to do. */
const PEER_EVERY = 10;
const STARTS = 9;

/** What is wanted of ours: the most that it may take, as a share of theirs. */
const MOST = { raw: 1.5, openssh: 1, peer: 0.1, ours: undefined, library: undefined } as const;

/** One command after the other, each way in its turn: p50. */
export async function oneAtATime(ways: Each<Way>, roads: Each<Road>): Promise<Row[]> {
  const turn = (road: Road, every = 1) => ({ every, work: () => timed(() => answered(road)) });
  const { ours, library, raw, openssh, peer } = roads;
  for (let i = 0; i < BEFORE; i += 1) for (const road of [ours, library, raw]) await answered(road);
  const taken = await byTurns(ROUNDS, {
    ours: turn(ours),
    library: turn(library),
    raw: turn(raw),
    openssh: turn(openssh),
    ...(peer && { peer: turn(peer, PEER_EVERY) }),
  });
  return paired(taken, (mine, theirs, [us, them]) =>
    compared({ what: ways[us].name, ours: mine, theirs, beside: ways[them]?.name ?? '', most: MOST[them] }),
  );
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
  return paired(taken, (mine, theirs, [us, them]) =>
    compared({ what: ways[us].name, ours: mine, theirs, beside: ways[them]?.name ?? '' }),
  );
}
