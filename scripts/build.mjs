import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { INPUTS } from './bundled.mjs';
import { notices } from './notices.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
/** A build that counts which of its lines run; its source maps are in reports/coverage/maps. */
const counting = process.argv.includes('--counting');
const require = createRequire(import.meta.url);
const { version } = require('../package.json');

// CommonJS packages inside an ES module bundle still ask for these three.
const banner = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __fileURLToPath(new URL('.', import.meta.url));`;

/**
 * Modules that must not be there: optional native add-ons, which ssh2 then does without, unused parts of the demo's
 * shell, zod in 50 languages, and the MCP server's JSON Schema validator, in whose place src/mcp/server.ts puts its own.
 */
const absent = {
  name: 'absent',
  setup(plugin) {
    plugin.onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    plugin.onResolve({ filter: /^(turndown|undici|seek-bzip)$/ }, ({ path, importer }) =>
      /node_modules\/just-bash\//.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    plugin.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
    plugin.onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
      contents: "import process from 'node:process'; export class DefaultJsonSchemaValidator {} export { process };",
    }));
    plugin.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of this package`)});`,
    }));
    plugin.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'export default undefined;' }));
  },
};

/** With code splitting, a dynamic import of a CommonJS package would give nothing but `default`; this adds its names. */
const named = {
  name: 'named',
  setup(plugin) {
    plugin.onResolve({ filter: /^[^./]/ }, async ({ path, kind, ...rest }) => {
      if (kind !== 'dynamic-import') return undefined;
      const resolved = await plugin.resolve(path, { ...rest, kind: 'import-statement' });
      if (resolved.external || resolved.namespace !== 'file' || isModule(resolved.path)) return undefined;
      return { path: resolved.path, namespace: 'named' };
    });
    plugin.onLoad({ filter: /.*/, namespace: 'named' }, ({ path }) => ({
      contents: `import whole from ${JSON.stringify(path)};
        export default whole;
        export const { ${Object.keys(require(path)).filter(isName).join(', ')} } = whole;`,
      resolveDir: root,
    }));
  },
};

/**
 * Gives HTTP a copy of its own of the module that has the SDK's HTTP parts: a module is never split, so that they would
 * be loaded with every start on stdio. What that module only passes on is in others, and stays one.
 */
const apart = {
  name: 'apart',
  setup(plugin) {
    plugin.onResolve({ filter: /^@modelcontextprotocol\/server$/ }, async ({ path, importer, pluginData, ...rest }) => {
      if (pluginData === apart || !/[\\/](src[\\/]mcp[\\/]http|@modelcontextprotocol[\\/]node)[\\/]/.test(importer))
        return;
      const resolved = await plugin.resolve(path, { ...rest, importer, pluginData: apart });
      return { ...resolved, suffix: '?http', pluginData: undefined };
    });
  },
};

const isName = (name) => /^(?!default$|__)[A-Za-z_$][\w$]*$/.test(name);

/** Whether Node takes this file of a package for an ES module. */
function isModule(file) {
  if (/\.[cm]js$/.test(file)) return file.endsWith('.mjs');
  for (let folder = dirname(file); folder.includes('node_modules'); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
  }
  return false;
}

/** What every tool takes, as JSON: converting it at each start would cost 10 ms. */
async function inputSchemas() {
  const contents = `import { convertInput } from './src/mcp/inputschema.ts';
    import { tools } from './src/toolsets/index.ts';
    export const schemas = Object.fromEntries(tools.map((tool) => [tool.name, convertInput(tool)]));`;
  const folder = await mkdtemp(join(tmpdir(), 'psm-build-'));
  const outfile = join(folder, 'schemas.mjs');
  try {
    await build({
      stdin: { contents, resolveDir: root, loader: 'ts' },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      banner: { js: banner },
      logLevel: 'warning',
      plugins: [absent],
    });
    return JSON.stringify((await import(pathToFileURL(outfile).href)).schemas);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const schemas = await inputSchemas();
await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: 'chunks/[name]-[hash]',
  banner: { js: counting ? `${banner}\n${readFileSync(join(root, 'scripts/counting.js'), 'utf8')}` : banner },
  // What its package names first is a UMD file, whose parts no bundler finds.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  define: { PACKAGE_VERSION: JSON.stringify(version), INPUT_SCHEMAS: JSON.stringify(schemas) },
  minify: !counting,
  sourcemap: counting && 'external',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [absent, named, apart],
});
await cp(join(root, 'src/pages'), join(dist, 'pages'), { recursive: true, filter: (file) => !file.endsWith('.ts') });
const inputs = Object.keys(metafile.inputs).sort();
await writeFile(join(dist, 'THIRD_PARTY_NOTICES.txt'), notices(root, inputs));
await mkdir(dirname(join(root, INPUTS)), { recursive: true });
await writeFile(join(root, INPUTS), JSON.stringify(inputs));
if (counting) {
  await mkdir(join(root, 'reports/coverage/processes'), { recursive: true });
  const maps = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.map'));
  for (const file of maps) {
    await cp(join(dist, file), join(root, 'reports/coverage/maps', file));
    await rm(join(dist, file));
  }
}
