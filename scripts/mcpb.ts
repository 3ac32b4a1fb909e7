import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packExtension } from '@anthropic-ai/mcpb/cli';
import { manifestOf, type Package } from './manifest.ts';

const root = join(import.meta.dirname, '..');

/** Packs what is built as a bundle for Claude Desktop into `file`, whose manifest the packer checks; rejects when it is wrong. */
export async function packBundle(file: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'psm-bundle-'));
  const put = (name: string, content: unknown) =>
    writeFile(join(folder, name), `${JSON.stringify(content, undefined, 2)}\n`);
  try {
    const whole = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Package;
    const { name, version, license } = whole;
    await mkdir(dirname(file), { recursive: true });
    await put('manifest.json', manifestOf(whole));
    await put('package.json', { name, version, license, type: 'module' });
    for (const part of ['dist', 'bin/proxmox-ssh-mcp.js', 'LICENSE', 'SECURITY.md']) {
      await cp(join(root, part), join(folder, part), { recursive: true });
    }
    const packed = await packExtension({ extensionPath: folder, outputPath: file, silent: true });
    if (!packed) throw new Error('The bundle could not be packed; see above.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
