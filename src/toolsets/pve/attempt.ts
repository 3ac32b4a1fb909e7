import { asFailure } from '../../failure.ts';

/**
 * What `part` gives, or undefined with a note of what is missing and why: for an answer that is worth giving without
 * that part. A cancelled call is not a missing part.
 */
export async function attempt<T>(part: Promise<T>, notes: string[], what: string): Promise<T | undefined> {
  try {
    return await part;
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === 'cancelled') throw failure;
    notes.push(`${what} could not be read: ${failure.message} ${failure.hint}`);
    return undefined;
  }
}

/** The notes as a fact, left out when there are none. */
export const noted = (notes: readonly string[]): readonly string[] | undefined =>
  notes.length > 0 ? notes : undefined;
