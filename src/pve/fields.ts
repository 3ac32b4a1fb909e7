import { z } from 'zod';

/** Fields of an answer, each undefined when it is missing or of another type: the server does not keep to its own `returns`. */

/** A number, also when it is sent as text. */
export const num = z
  .union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)])
  .transform(Number)
  .optional()
  .catch(undefined);

/** A boolean, sent as 1 and 0, as "1" and "0", or as true and false. */
export const flag = z
  .union([z.boolean(), z.number(), z.string()])
  .transform((value) => value === true || value === 1 || value === '1')
  .optional()
  .catch(undefined);

export const text = z.string().optional().catch(undefined);
