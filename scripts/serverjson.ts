import { keys, settingOf } from '../src/config/settings.ts';
import type { Package } from './manifest.ts';

/** What a person reads in a list of servers; the registry takes 100 characters. */
const DESCRIPTION = 'Read and run Proxmox VE over its REST API and over SSH, safely.';

/** The entry for the MCP registry. A setting that is a secret says so. */
export function serverJson({ name, mcpName, version }: Package): string {
  const settings = keys.map(settingOf).filter(({ group }) => group !== 'http');
  const entry = {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: 'Proxmox VE and SSH',
    description: DESCRIPTION,
    version,
    packages: [
      {
        registryType: 'npm',
        registryBaseUrl: 'https://registry.npmjs.org',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        environmentVariables: settings.map(({ env, says, example, needed, secret }) => ({
          name: env,
          description: says.replaceAll('`', ''),
          ...(needed && { isRequired: true }),
          ...(secret ? { isSecret: true } : { placeholder: example }),
        })),
      },
    ],
  };
  return `${JSON.stringify(entry, undefined, 2)}\n`;
}
