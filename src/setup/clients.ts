import { join } from 'node:path';

/** What the place of a client's configuration depends on. */
export interface Around {
  readonly home: string;
  readonly platform: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where an AI client keeps the servers that it starts. */
export interface Client {
  readonly label: string;
  file(around: Around): string;
  /** The member that holds the servers by name. */
  readonly servers: 'mcpServers' | 'servers';
  /** How its user sees whether the server works. */
  readonly check: string;
}

/** The folder of an application's own settings. */
export function appData({ home, platform, env }: Around): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  if (platform === 'win32') return env.APPDATA || join(home, 'AppData', 'Roaming');
  return env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(home, '.config');
}

export const clients = {
  'claude-code': {
    label: 'Claude Code',
    file: ({ home, env }) => join(env.CLAUDE_CONFIG_DIR || home, '.claude.json'),
    servers: 'mcpServers',
    check: 'In Claude Code, /mcp shows it.',
  },
  'claude-desktop': {
    label: 'Claude Desktop',
    file: (around) => join(appData(around), 'Claude', 'claude_desktop_config.json'),
    servers: 'mcpServers',
    check: 'Restart Claude Desktop; its settings show it under Developer.',
  },
  cursor: {
    label: 'Cursor',
    file: ({ home }) => join(home, '.cursor', 'mcp.json'),
    servers: 'mcpServers',
    check: 'The settings of Cursor show it under MCP.',
  },
  vscode: {
    label: 'VS Code',
    file: (around) => join(appData(around), 'Code', 'User', 'mcp.json'),
    servers: 'servers',
    check: 'In VS Code, the command "MCP: List Servers" shows it.',
  },
  project: {
    label: 'this folder (.mcp.json)',
    file: ({ cwd }) => join(cwd, '.mcp.json'),
    servers: 'mcpServers',
    check: 'Clients that are started in this folder show it.',
  },
} as const satisfies Record<string, Client>;

export type ClientName = keyof typeof clients;
export const clientNames = Object.keys(clients) as readonly ClientName[];

/** One entry of a client's list: nothing but a command and the path of the settings. */
export interface Entry {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
}
