import { setMaxListeners } from 'node:events';
import { type Each, newWord, paired, type Road, type Way } from './road.ts';
import type { Row } from './table.ts';
import { median, timed } from './timing.ts';

const COUNT = 50;
const ATTEMPTS = 5;
const CROWD = 1_000;

interface Together {
  readonly right: number;
  readonly ms: number;
}

async function together(road: Road, count: number): Promise<Together> {
  let right = 0;
  const one = async (): Promise<void> => {
    if (await road.echo(newWord()).catch(() => false)) right += 1;
  };
  const ms = await timed(() => Promise.all(Array.from({ length: count }, one)));
  return { right, ms };
}

/** The median time of some attempts, and the fewest right answers. */
async function attempts(road: Road): Promise<Together> {
  const each: Together[] = [];
  for (let i = 0; i < ATTEMPTS; i += 1) each.push(await together(road, COUNT));
  return { right: Math.min(...each.map(({ right }) => right)), ms: median(each.map(({ ms }) => ms)) };
}

const told = ({ right, ms }: Together, count: number): string => `${ms.toFixed(0)} ms, ${right} of ${count}`;

/** Many commands at the same time, on each way. */
export async function atOnce(ways: Each<Way>, roads: Each<Road>): Promise<Row[]> {
  const { ours, library, raw, openssh, peer } = roads;
  const taken: Each<Together> = {
    ours: await attempts(ours),
    library: await attempts(library),
    raw: await attempts(raw),
    openssh: await attempts(openssh),
    ...(peer && { peer: await attempts(peer) }),
  };
  return paired(taken).map(({ mine, theirs, us, them }) => ({
    what: ways[us].name,
    ours: told(mine, COUNT),
    theirs: `${told(theirs, COUNT)} ${ways[them]?.name}`,
    // Failing is quick.
    ...(theirs.right === COUNT && { ratio: mine.ms / theirs.ms }),
    wanted: `${COUNT} of ${COUNT}`,
    met: mine.right === COUNT,
  }));
}

/** More commands at the same time than any of the others takes. */
export async function crowd(way: Way, road: Road): Promise<Row[]> {
  // Every call of the client waits for the same pipe.
  setMaxListeners(CROWD);
  const taken = await together(road, CROWD);
  const wanted = { wanted: `${CROWD} of ${CROWD}`, met: taken.right === CROWD };
  return [{ what: way.name, ours: told(taken, CROWD), ...wanted }];
}
