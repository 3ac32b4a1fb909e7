import { Failure, type FailureKind } from '../../failure.ts';
import { remote } from '../../present/answer.ts';
import { factsOf } from '../../ssh/files/facts.ts';
import type { Reply } from '../../ssh/files/reply.ts';
import type { FileSpot } from './file-road.ts';

/** A refusal by the word that the script said it with. */
export class FileRefusal extends Failure {
  constructor(
    readonly word: string,
    ...told: ConstructorParameters<typeof Failure>
  ) {
    super(...told);
  }
}

type Told = readonly [kind: FailureKind, message: string, hint: string];

const asOther = 'Use sudo, or name the user who may (user).';

/** What a script of files says it did not do, as a Failure with its cure; undefined when it says nothing of the kind. */
export function fileRefusal(reply: Reply, spot: FileSpot): FileRefusal | undefined {
  const word = reply.field('no');
  if (word === undefined) return undefined;
  const said = reply.field('said') ?? '';
  const known = tellings(reply, spot, said);
  const [kind, message, hint] = (Object.hasOwn(known, word) ? known[word] : undefined) ?? [
    'remote-error',
    `${spot.place.label} refused ${spot.path}.`,
    'What it said is in said.',
  ];
  const old = reply.field('old');
  const sha256 = old !== undefined && old.length === 64 ? old : undefined;
  return new FileRefusal(word, kind, message, hint, {
    facts: { sha256, said: said === '' ? undefined : remote(said) },
  });
}

const tellings = (reply: Reply, { place: { label }, path }: FileSpot, said: string): Record<string, Told> => ({
  missing: ['not-found', `${label} has no file ${path}.`, 'ssh_file_list shows what is in a folder.'],
  'no-folder': ['not-found', `${label} has no folder for ${path}.`, 'Correct the path, or set make_folders.'],
  denied: ['permission', `${path} on ${label} may not be read, or not be looked at, by this login.`, asOther],
  folder: ['invalid-input', `${path} on ${label} is a folder.`, 'ssh_file_list lists it.'],
  special: [
    'invalid-input',
    `${path} on ${label} is no regular file: ${kindOf(reply)}.`,
    'Such a thing is read and written by a command (ssh_exec), if at all.',
  ],
  exists: [
    'conflict',
    `${path} is on ${label} already. Nothing was changed.`,
    'Read it; then give its sha256 as expected_sha256, or set overwrite.',
  ],
  changed: [
    'conflict',
    `${path} on ${label} is not what was expected: ${reply.field('old') === 'none' ? 'it is gone' : 'it has another sha256'}. Nothing was changed.`,
    'Read it again.',
  ],
  unverified: [
    'remote-error',
    `What ${path} on ${label} holds could not be compared: no sha256 of it could be made.`,
    'The host needs sha256sum, shasum or openssl, and the login must be allowed to read the file.',
  ],
  mkdir: [denied(said), `The folder for ${path} could not be made on ${label}.`, asOther],
  create: [denied(said), `The folder of ${path} on ${label} takes no new file from this login.`, asOther],
  full: [
    'remote-error',
    `${path} could not be written in full on ${label}, and was left as it was.`,
    'Make room there.',
  ],
  flush: [
    'remote-error',
    `The disk of ${label} did not take ${path}, which was left as it was.`,
    'Make room there, or look at the disk: the log of its kernel says what is wrong with it.',
  ],
  cut: ['remote-error', `Not all of ${path} arrived on ${label}; it was left as it was.`, 'Call again.'],
  damaged: [
    'remote-error',
    `What arrived for ${path} on ${label} is not what was sent; it was left as it was.`,
    'Call again, when the source no longer changes.',
  ],
  gone: ['conflict', `Others send to ${path} on ${label} at the same time.`, 'Call again when they are through.'],
  keep: [
    denied(said),
    `${path} on ${label} could not be given the mode and owner that it has or should have, so it was left as it was.`,
    asOther,
  ],
  rename: [
    denied(said),
    `${path} on ${label} cannot be replaced as a whole, and was left as it was.`,
    'A file that is mounted, or immutable, has to be changed in place by a command (ssh_exec).',
  ],
  other: ['remote-error', `${label} cannot tell about ${path}.`, 'What it said is in said.'],
});

const denied = (said: string): FailureKind =>
  /permission denied|not permitted|read-only/i.test(said) ? 'permission' : 'remote-error';

function kindOf(reply: Reply): string {
  const stat = reply.field('stat') ?? reply.field('was');
  const kind = stat === undefined ? 'unknown' : factsOf(stat).kind;
  return kind === 'unknown' ? 'a device, a socket or the like' : `a ${kind}`;
}
