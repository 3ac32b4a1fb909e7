import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import type { Target } from './download-target.ts';
import { filesNamed, noSuchFile } from './named-files.ts';

export type Content = 'iso' | 'vztmpl' | 'import';

/** A file that can be downloaded: what it is, and how, once it is known where to. */
export interface Source {
  readonly content: Content;
  readonly url?: string;
  /** Its name on the storage. */
  name(node: string): Promise<string>;
  write(target: Target, name: string): Promise<unknown>;
}

export interface FileWish {
  readonly content?: Content;
  readonly filename?: string;
  readonly checksum?: string;
}

/** What names have to end in, by what they are (pve-storage, PVE/Storage.pm). */
const endings: Readonly<Record<Content, RegExp>> = {
  iso: /\.(iso|img)$/i,
  vztmpl: /\.tar\.(gz|xz|zst|bz2)$/i,
  import: /\.(qcow2|raw|vmdk|ova)$/i,
};

const invalid = (cause: string, cure: string): Failure => new Failure('invalid-input', cause, cure);

/** What a file of that name is; a disk image is often called .img too, so that ending tells nothing. */
function contentOf(name: string, asked: Content | undefined): Content {
  if (asked !== undefined && endings[asked].test(name)) return asked;
  const kinds: readonly Content[] = ['iso', 'vztmpl', 'import'];
  const told = /\.img$/i.test(name) ? undefined : kinds.find((kind) => endings[kind].test(name));
  if (asked === undefined && told !== undefined) return told;
  const ends = 'iso: .iso or .img; vztmpl: .tar.gz, .tar.xz, .tar.zst; import: .qcow2, .raw, .vmdk, .ova';
  throw invalid(
    asked === undefined ? `What "${name}" is cannot be told from its name.` : `"${name}" is no name for ${asked}.`,
    `Give content, and with filename a name that ends as it has to (${ends}).`,
  );
}

const lengths: Readonly<Record<number, string>> = {
  32: 'md5',
  40: 'sha1',
  56: 'sha224',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
};

/** The algorithm that makes sums of that length. */
export function algorithmOf(checksum: string): string {
  const algorithm = lengths[checksum.length];
  if (algorithm !== undefined) return algorithm;
  throw invalid(
    `A checksum of ${checksum.length} hexadecimal digits is of no known kind.`,
    'MD5 has 32, SHA-1 40, SHA-256 64, SHA-512 128.',
  );
}

/** The name as the server would write it (pve-storage, normalize_content_filename). */
const normal = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/[^a-zA-Z0-9_.-]/g, '_');

/** The last part of a URL's path; one that is not well encoded is taken as it is written. */
function nameIn(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/** The node itself, and addresses of its own link, where a cloud tells its machines their secrets; as URL writes them. */
const ownPlaces =
  /^((.*\.)?localhost\.?|0\..*|127\..*|169\.254\..*|\[(::1?|fe[89ab][\da-f]:.*|fd00:ec2:.*|::ffff:(7f[\da-f]{2}|a9fe|0):.*)\])$/i;

/** What a human is told before the node fetches from where only it can: what comes may be read by any guest afterwards. */
export function alarmOf(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url) || !ownPlaces.test(new URL(url).hostname)) return undefined;
  return 'The node would fetch this from itself or from its own link, which may hold secrets that are for it alone.';
}

/** The file at a URL. A user or password in it would stand in the log of the task for everybody to read. */
export function fromUrl(
  { pve, signal }: ToolContext,
  url: string,
  { content: asked, filename, checksum }: FileWish,
): Source {
  if (!URL.canParse(url)) throw invalid(`"${url}" is no URL.`, 'Give one such as https://example.org/x.iso.');
  const { username, password, pathname } = new URL(url);
  if (username !== '' || password !== '') {
    throw invalid('The URL holds a user name or password, which the log of the task would show.', 'Leave it out.');
  }
  const name = normal(filename ?? nameIn(pathname));
  const content = contentOf(name, asked);
  const sum =
    checksum === undefined ? {} : { checksum: checksum.toLowerCase(), 'checksum-algorithm': algorithmOf(checksum) };
  return {
    content,
    url,
    name: async () => name,
    write: ({ node, storage }, filename) =>
      pve.post(path`/nodes/${node}/storage/${storage}/download-url`, { url, content, filename, ...sum }, { signal }),
  };
}

const appliances = z.array(z.object({ template: z.string() }));

/** A template of Proxmox's own list, the newest whose name begins so. The server checks its sum by itself. */
export function fromList({ pve, signal }: ToolContext, wanted: string): Source {
  const list = (node: string) => path`/nodes/${node}/aplinfo`;
  return {
    content: 'vztmpl',
    async name(node) {
      const names = (await pve.get(list(node), appliances, {}, { signal })).map(({ template }) => template);
      const [template] = filesNamed(names, (name) => name, wanted);
      const cure = '`pveam update` on the node renews the list of what can be downloaded.';
      if (template === undefined) throw noSuchFile('container template', wanted, names, cure);
      return template;
    },
    write: ({ node, storage }, template) => pve.post(list(node), { storage, template }, { signal }),
  };
}
