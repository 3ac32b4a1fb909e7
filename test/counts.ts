/** `full`, the promised count, when the environment has GUARANTEES=full, else `ci`, which fits in an ordinary run. */
export const counted = (full: number, ci: number): number => (process.env.GUARANTEES === 'full' ? full : ci);

/** What each of `count` runs gave, in their order, so many of them at once. */
export async function runs<T>(count: number, atOnce: number, one: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) all[i] = await one(i);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return all;
}
