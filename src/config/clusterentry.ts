import { z } from 'zod';
import { endpoints, file, fingerprints, type Kind, tokenName } from './values.ts';

/** The same texts as the settings take; what is wrong is told, the text never. */
const as = <T>({ schema, takes }: Kind<T>) =>
  z.string().transform((text, context) => {
    const read = schema.safeParse(text);
    if (read.success) return read.data;
    context.addIssue({ code: 'custom', message: `must be ${takes}` });
    return z.NEVER;
  });

/** Where the secret of the token is: in one of these places. */
const token = z
  .strictObject({
    id: as(tokenName).refine((id) => id.includes('!'), 'must be user@realm!name'),
    /** Of the environment or of the settings file. */
    variable: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'must be the name of an environment variable')
      .optional(),
    command: z.string().min(1).max(1000).optional(),
    keychain: z.literal(true).optional(),
  })
  .refine(({ variable, command, keychain }) => [variable, command, keychain].filter(Boolean).length === 1, {
    message: 'needs one of variable, command, keychain: where its secret is',
  });

/** A further Proxmox VE, as the inventory file describes it. */
export const clusterEntry = z.strictObject({
  host: as(endpoints),
  port: z.number().int().min(1).max(65535).optional(),
  token,
  fingerprint: as(fingerprints).optional(),
  caFile: z
    .string()
    .regex(/^~\/|^\//, `must be ${file.takes}`)
    .optional(),
  mode: z.enum(['read-only', 'guarded', 'ask', 'trusted']).optional(),
  protectedGuests: z.array(z.number().int().min(100).max(999_999_999)).max(1000).optional(),
});

export type ClusterEntry = z.output<typeof clusterEntry>;
