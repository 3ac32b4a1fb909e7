import { isIP } from 'node:net';
import { z } from 'zod';
import { hookUrl } from '../hooks/address.ts';
import { Secret } from '../secret.ts';

/** A kind of value: how it is read from text, and what a right one looks like, as the rest of "must be …". */
export interface Kind<T> {
  readonly schema: z.ZodType<T, string>;
  readonly takes: string;
}

const pattern = (takes: string, regex: RegExp): Kind<string> => ({ takes, schema: z.string().regex(regex) });

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?$/;

/** A host name or an IP address; an IPv6 address may stand in brackets, which are dropped. */
export const host: Kind<string> = {
  takes: 'a host name or an IP address, without https:// and without a port',
  schema: z
    .string()
    .transform((text) => text.replace(/^\[(.*)\]$/, '$1'))
    .refine((text) => isIP(text) !== 0 || (text.length <= 253 && NAME.test(text))),
};

export const wholeNumber = (min: number, max: number): Kind<number> => ({
  takes: `a whole number from ${min} to ${max}`,
  schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max)),
});

export const oneOf = <const Choice extends string>(...choices: readonly Choice[]): Kind<Choice> => ({
  takes: `one of ${choices.join(', ')}`,
  schema: z.string().pipe(z.enum(choices)),
});

const separated = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Where the API is to be found; without a port, PROXMOX_PORT is meant. */
export interface Endpoint {
  readonly host: string;
  readonly port?: number;
}

const endpoint = z
  .string()
  .transform((text) => {
    if (isIP(text) === 6) return { host: text };
    const [, name = text, port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
    return { host: name, port };
  })
  .pipe(z.object({ host: host.schema, port: wholeNumber(1, 65535).schema.optional() }));

/** `pve1,pve2:8006`: one host, or several of one cluster. An IPv6 address with a port stands in brackets. */
export const endpoints: Kind<readonly Endpoint[]> = {
  takes: 'a host name or an IP address, without https://, or several, separated by commas',
  schema: z.string().transform(separated).pipe(z.array(endpoint).min(1)),
};

export const listOf = <const Choice extends string>(...choices: readonly Choice[]): Kind<readonly Choice[]> => ({
  takes: `one or more of ${choices.join(', ')}, separated by commas`,
  schema: z
    .string()
    .transform((text) => [...new Set(separated(text))])
    .pipe(z.array(z.enum(choices)).min(1)),
});

export const yesNo: Kind<boolean> = {
  takes: 'yes or no',
  schema: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['yes', 'no', 'true', 'false', '1', '0']))
    .transform((word) => word === 'yes' || word === 'true' || word === '1'),
};

/** An absolute path. A leading `~` has been replaced by the home folder before this is asked. */
export const file: Kind<string> = pattern('an absolute path, or one that begins with ~/', /^(\/|[A-Za-z]:[\\/]|\\\\)/);

/** A path, or `none`, which gives undefined. */
export const fileOrNone: Kind<string | undefined> = {
  takes: `${file.takes}, or none`,
  schema: z.union([z.literal('none').transform(() => undefined), file.schema]),
};

export const vmids: Kind<readonly number[]> = {
  takes: 'VMIDs separated by commas, such as 100,101',
  schema: z
    .string()
    .transform((text) => separated(text))
    .pipe(z.array(z.string().regex(/^[1-9]\d{2,8}$/)))
    .transform((ids) => ids.map(Number)),
};

const fingerprint = z
  .string()
  .transform((text) => text.replaceAll(':', '').toUpperCase())
  .pipe(z.string().regex(/^[0-9A-F]{64}$/))
  .transform((hex) => (hex.match(/../g) ?? []).join(':'));

/** SHA-256 certificate fingerprints, given back as Proxmox VE shows them: 32 upper-case pairs joined by colons. */
export const fingerprints: Kind<readonly string[]> = {
  takes: 'a SHA-256 fingerprint (32 pairs of hexadecimal digits, joined by colons), or several, separated by commas',
  schema: z.string().transform(separated).pipe(z.array(fingerprint).min(1)),
};

const USER = String.raw`[^\s:/!@]+@[A-Za-z][A-Za-z0-9._-]+`;
const TOKEN = '[A-Za-z][A-Za-z0-9._-]+';

export const pveUser = pattern('a user with its realm, such as root@pam', new RegExp(`^${USER}$`));

export const tokenName = pattern(
  'the name of a token, with or without its user (mcp, root@pam!mcp)',
  new RegExp(`^(${USER}!)?${TOKEN}$`),
);

/** The secret half of an API token. The usual mistake is to paste all of `user@realm!name=secret`. */
export const tokenValue: Kind<Secret> = {
  takes: 'the secret of the token alone, without user@realm!name= before it',
  schema: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .regex(/^[^!=]+$/)
    .transform((text) => new Secret(text)),
};

export const clusterName = pattern(
  'a name of letters, digits and dashes, up to 40 characters',
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,38}[A-Za-z0-9])?$/,
);

export const loginName = pattern('a login name', /^[^\s:@-][^\s:@]*$/);

export const commandLine: Kind<string> = { takes: 'a command', schema: z.string().min(1) };

export const secret: Kind<Secret> = {
  takes: 'text',
  schema: z.string().transform((text) => new Secret(text)),
};

/** May hold a token in its path, so it is kept as a secret is. */
export const webhookUrl: Kind<Secret> = {
  takes: 'an https URL without a user or password in it, to an address that may be posted to',
  schema: z
    .string()
    .max(2000)
    .transform((text) => text.trim())
    .refine((text) => !('wrong' in hookUrl(text)))
    .transform((text) => new Secret(text)),
};

/** The key as base64, as Standard Webhooks 1.0.0 has it. */
export const webhookSecret: Kind<Secret> = {
  takes: 'whsec_ and 24 to 64 bytes as base64',
  schema: z
    .string()
    .transform((text) => text.trim().replace(/^whsec_/, ''))
    .pipe(z.base64())
    .refine((text) => text.length >= 32 && Buffer.byteLength(text, 'base64') <= 64)
    .transform((text) => new Secret(text)),
};
