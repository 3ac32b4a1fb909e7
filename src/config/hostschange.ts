import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../failure.ts';
import { locked } from '../lock.ts';
import { replaceFile } from '../replacefile.ts';
import type { HostChange, HostEdit } from '../toolsets/tool.ts';
import { type HostEntry, parseHosts } from './hostsfile.ts';

const EMPTY = '{\n  "hosts": {}\n}\n';
const MOST_TRIES = 5;

/**
 * Changes one entry of the inventory file, and no other byte of it but the mark of a former default. A file that is not
 * right as it is, is left alone (`misconfigured`), and so is one that would not be right (`invalid-input`).
 */
export async function changeEntry(file: string, name: string, edits: readonly HostEdit[]): Promise<HostChange> {
  const { withMember } = await import('../setup/jsonedit.ts');
  const attempt = (): HostChange | undefined => {
    const text = textOf(file);
    const hosts = hostsIn(text ?? EMPTY, file);
    const before = hosts.get(name);
    const former = edits.some(({ path, value }) => path[0] === 'default' && value === true)
      ? [...hosts].find(([other, entry]) => entry.default && other !== name)?.[0]
      : undefined;
    const all = [
      ...edits.map(({ path, value }) => ({ path: ['hosts', name, ...path], value })),
      ...(former === undefined ? [] : [{ path: ['hosts', former, 'default'], value: undefined }]),
    ];
    const edited = all.reduce(
      (now, { path, value }) =>
        isDeepStrictEqual(memberOf(now, path), value) ? now : withMember(now, file, path, value),
      text ?? EMPTY,
    );
    const tidy = isDeepStrictEqual(memberOf(edited, ['hosts', name, 'limits']), {})
      ? withMember(edited, file, ['hosts', name, 'limits'], undefined)
      : edited;
    const after = checked(tidy, name);
    // An editor knows nothing of our lock.
    if (textOf(file) !== text) return undefined;
    if (tidy !== text && (text !== undefined || after !== undefined)) replaceFile(file, tidy);
    return { file, before, after: after ?? {}, formerDefault: former };
  };
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const done = await locked(file, attempt);
    if (done) return done;
  }
  throw new Failure('busy', `${file} is being changed by somebody else.`, 'Call again.');
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const text = `The inventory file ${file} cannot be read: ${message}.`;
    throw new Failure('misconfigured', text, 'Make it readable and writable for this user.', { cause: error });
  }
}

function hostsIn(text: string, file: string): ReadonlyMap<string, HostEntry> {
  const read = parseHosts(text);
  if ('hosts' in read) return read.hosts;
  throw new Failure(
    'misconfigured',
    `The inventory file ${file} is not right as it is, so nothing was changed in it: ${read.wrong}`,
    'Correct it by hand, or move it away, and call again.',
  );
}

function checked(text: string, name: string): HostEntry | undefined {
  const read = parseHosts(text);
  if ('hosts' in read) return read.hosts.get(name);
  throw new Failure('invalid-input', `Nothing was changed: ${read.wrong}`, 'Correct that value, and call again.');
}

const memberOf = (text: string, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, name) => (inner as Record<string, unknown> | undefined)?.[name],
    JSON.parse(text.replace(/^\uFEFF/, '')),
  );
