export type FileKind = 'file' | 'folder' | 'link' | 'fifo' | 'socket' | 'block device' | 'character device' | 'unknown';

/** What stat tells of a file. */
export interface FileFacts {
  readonly kind: FileKind;
  readonly size: number;
  /** Four octal digits: `0644`. */
  readonly mode: string;
  /** `root:root`; a number where there is no such user or group, or no usual name. */
  readonly owner: string;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** How many names the file has. */
  readonly links: number;
  /** What is the same as long as it is the same file with the same content, as far as stat can tell. */
  readonly identity: string;
}

/** By the type bits of `st_mode` (inode(7)). */
const kinds: Readonly<Record<number, FileKind>> = {
  1: 'fifo',
  2: 'character device',
  4: 'folder',
  6: 'block device',
  8: 'file',
  10: 'link',
  12: 'socket',
};

/** Reads `stat -c '%f %s %a %u %g %Y %h %i %d %U:%G'`. */
export function factsOf(text: string): FileFacts {
  const [type = '', size, mode = '', uid = '', gid = '', mtime, links, inode, device, ...names] = text.split(' ');
  const [user = '', group = ''] = names.join(' ').split(':');
  // The host chooses its names, and these are told as they are.
  const named = (name: string, id: string): string => (/^(?!UNKNOWN$)[\w.@$+\\-]{1,64}$/.test(name) ? name : id);
  return {
    kind: kinds[Number.parseInt(type, 16) >> 12] ?? 'unknown',
    size: Number(size),
    mode: mode.padStart(4, '0'),
    owner: `${named(user, uid)}:${named(group, gid)}`,
    mtime: Number(mtime),
    links: Number(links),
    identity: [device, inode, size, mtime].join(' '),
  };
}

const letters = 'rwxrwxrwx';
const firsts: Readonly<Record<FileKind, string>> = {
  file: '-',
  folder: 'd',
  link: 'l',
  fifo: 'p',
  socket: 's',
  'block device': 'b',
  'character device': 'c',
  unknown: '?',
};

/** Type and mode as ls writes them: `-rw-r--r--`. */
export function modeText({ kind, mode }: Pick<FileFacts, 'kind' | 'mode'>): string {
  const bits = Number.parseInt(mode, 8);
  const shown = [...letters].map((letter, i) => ((bits >> (8 - i)) & 1 ? letter : '-'));
  const special = (bit: number, at: number, letter: string): void => {
    if (bits & bit) shown[at] = shown[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(0o4000, 2, 's');
  special(0o2000, 5, 's');
  special(0o1000, 8, 't');
  return firsts[kind] + shown.join('');
}
