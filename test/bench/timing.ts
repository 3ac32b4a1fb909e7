export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** How long the work took, in ms. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** One of several works that are compared; gives what is measured of it. */
export interface Turn {
  readonly work: () => Promise<number>;
}

type Turns = { readonly [name: string]: Turn | undefined };

/** The median of what each work gives, all of them done by turns, so that what else the machine does falls on all. */
export async function byTurns<Given extends Turns>(
  rounds: number,
  turns: Given,
): Promise<{ [Name in keyof Given]: number }> {
  const given = Object.entries(turns).flatMap(([name, turn]) =>
    turn ? [{ name, ...turn, taken: [] as number[] }] : [],
  );
  for (let round = 0; round < rounds; round += 1) for (const { work, taken } of given) taken.push(await work());
  return Object.fromEntries(given.map(({ name, taken }) => [name, median(taken)])) as { [Name in keyof Given]: number };
}
