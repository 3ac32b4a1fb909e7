import { mcpProxmox } from './mcp-proxmox.ts';
import { phoneHome } from './phone-home.ts';
import { sshMcp1, sshMcp2 } from './ssh-mcp.ts';
import { ubuntuShell } from './ubuntu-shell.ts';

/** What stands in for one function of a peer. */
export interface Counterpart {
  /** The peer's name for it. */
  readonly name: string;
  /** A tool of ours; the raw calls name their path in `how`. */
  readonly tool: string;
  /** What to call it with, or what of its answer. */
  readonly how: string;
  /** The file of the test that proves it, and a text that it holds. */
  readonly proof: string;
  readonly holds: string;
}

export interface Peer {
  /** In the address of its table in docs/migrating.md. */
  readonly id: string;
  readonly name: string;
  readonly rows: readonly Counterpart[];
}

/** Rows of `name: tool, how`; where the test is not the tool's own, with `[file: a text that it holds]`. */
const rowsOf = (table: string): readonly Counterpart[] =>
  table
    .trim()
    .split('\n')
    .map((line) => {
      const parts = /^(.+?): (\w+), (.+?)(?: \[(\S+): (.+)\])?$/.exec(line) ?? [];
      const [, name = '', tool = '', how = '', proof, holds = tool] = parts;
      return { name, tool, how, proof: proof ?? `test/toolsets/${tool.replaceAll('_', '-')}.test.ts`, holds };
    });

/** The systems whose users should find everything here. */
export const peers: readonly Peer[] = [
  { id: 'mcp-proxmox', name: 'gilby125/mcp-proxmox', rows: rowsOf(mcpProxmox) },
  { id: 'ssh-mcp-1', name: 'tufantunc/ssh-mcp 1', rows: rowsOf(sshMcp1) },
  { id: 'ssh-mcp-2', name: 'tufantunc/ssh-mcp 2', rows: rowsOf(sshMcp2) },
  { id: 'phone-home', name: 'ET Phone Home', rows: rowsOf(phoneHome) },
  { id: 'ubuntu-shell', name: 'Ubuntu Shell MCP', rows: rowsOf(ubuntuShell) },
];
