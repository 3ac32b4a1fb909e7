import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { answer, type Facts, remote } from '../../present/answer.ts';
import { num, text } from '../../pve/fields.ts';
import { path } from '../../pve/path.ts';
import { bytes } from '../format.ts';
import { node, storage, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import { alarmOf, fromList, fromUrl, type Source } from './download-source.ts';
import { pickTarget, type Target } from './download-target.ts';
import { settle } from './settle.ts';
import { readVolumes, type Volume } from './volumes.ts';

const input = {
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/]+\/\S+$/, 'must be an http or https URL of a file')
    .max(2000)
    .optional()
    .describe('http or https.'),
  template: z
    .string()
    .min(2)
    .max(255)
    .optional()
    .describe("Instead of url: beginning of a name in Proxmox's list (debian-13)."),
  content: z.enum(['iso', 'vztmpl', 'import']).optional().describe('Else by the ending of the name.'),
  filename: z.string().min(3).max(255).optional().describe('Else as in the url.'),
  checksum: z
    .string()
    .regex(/^[0-9A-Fa-f]+$/, 'must be hexadecimal')
    .max(128)
    .optional()
    .describe('MD5 or SHA to check.'),
  storage: storage.optional().describe('Else the one with most free space.'),
  node: node.optional().describe('Needed where the storage is not shared.'),
  wait_s: waitSeconds.optional(),
};
type Input = z.infer<z.ZodObject<typeof input>>;

function sourceOf(context: ToolContext, { url, template, ...wish }: Input): Source {
  const { content, filename, checksum } = wish;
  if (url !== undefined && template === undefined) return fromUrl(context, url, wish);
  const extra = content !== undefined || filename !== undefined || checksum !== undefined;
  if (url === undefined && template !== undefined && !extra) return fromList(context, template);
  throw new Failure(
    'invalid-input',
    'Either a url (with content, filename and checksum as wanted) or a template alone is needed.',
    'Give one of the two.',
  );
}

/** The volume of that id at the target, when there is one. */
async function volumeAt(
  context: ToolContext,
  { node, storage }: Target,
  content: string,
  volid: string,
): Promise<Volume | undefined> {
  return (await readVolumes(context, { storage, node, content }, [])).find((one) => one.volid === volid);
}

const metaShape = z.object({ size: num, mimetype: text });

/** What the server of the URL announces. A token may lack the right to ask, and a server may not tell. */
async function announced(context: ToolContext, node: string, url: string, notes: string[]): Promise<Facts> {
  const at = path`/nodes/${node}/query-url-metadata`;
  const read = context.pve.get(at, metaShape, { url }, { signal: context.signal });
  const found = await attempt(read, notes, 'What the server of the url announces');
  return {
    announced_size: found?.size === undefined ? undefined : bytes(found.size),
    announced_type: found?.mimetype === undefined ? undefined : remote(found.mimetype),
  };
}

interface Plan {
  readonly source: Source;
  readonly target: Target;
  readonly name: string;
  readonly volid: string;
}

async function plan(context: ToolContext, wanted: Input): Promise<Plan> {
  const source = sourceOf(context, wanted);
  const target = await pickTarget(context, wanted, source.content);
  const name = await source.name(target.node);
  const volid = `${target.storage}:${source.content}/${name}`;
  const there = await volumeAt(context, target, source.content, volid);
  if (there === undefined) return { source, target, name, volid };
  throw new Failure(
    'conflict',
    `${volid} is there already${there.size === undefined ? '' : ` (${bytes(there.size)})`}. Nothing was downloaded.`,
    'Use it, give another filename, or delete it first with pve_volume_delete.',
  );
}

export default definePveTool({
  name: 'pve_download',
  title: 'Download an image or template',
  effect: 'change',
  summary:
    "Download an ISO image, container template or disk image to a storage, from a URL or from Proxmox's own list " +
    'of templates. A name that is taken is refused.',
  search: 'fetch get iso cloud image qcow2 appliance pveam wget upload install media lxc',
  input,
  // It is about no guest.
  touches: () => [],
  alarm: ({ url }) => alarmOf(url),

  async confirm(wanted, context) {
    const { source, target, volid } = await plan(context, wanted);
    const from = source.url === undefined ? "Proxmox's own list" : source.url;
    return { message: `Download ${volid} to node ${target.node} from ${from}.`, state: { volume: volid, ...target } };
  },

  async run(wanted, context) {
    const { source, target, name, volid } = await plan(context, wanted);
    const notes: string[] = [];
    const meta = source.url === undefined ? {} : await announced(context, target.node, source.url, notes);
    const { done, facts } = await settle(context, await source.write(target, name), wanted.wait_s);
    const checked = wanted.checksum !== undefined || source.url === undefined;
    if (!checked) notes.push('No checksum was given: nothing says that the file is the right one.');
    const told = { volume: volid, node: target.node, ...meta };
    if (!done) return answer(`${volid} is still being downloaded`, { ...told, ...facts, notes: noted(notes) });
    const made = await attempt(volumeAt(context, target, source.content, volid), notes, 'The storage afterwards');
    const size = made?.size === undefined ? undefined : bytes(made.size);
    return answer(`${volid} downloaded${size ? `, ${size}` : ''}`, {
      ...told,
      size,
      checksum_checked: checked || undefined,
      ...facts,
      notes: noted(notes),
    });
  },
});
