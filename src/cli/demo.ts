import { Command } from 'commander';

interface DemoOptions {
  readonly serve?: true;
  readonly readOnly?: true;
}

/** `demo`: plays a session against a pretend datacentre, or serves it. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('play a session against a pretend Proxmox VE datacentre on this machine')
    .option('--serve', 'serve MCP on stdin and stdout instead, for an AI client to try it')
    .option('--read-only', 'in read-only mode')
    .action(async ({ serve, readOnly }: DemoOptions) => {
      if (serve) await (await import('./demo/serve.ts')).serveDemo(readOnly === true);
      else await (await import('./demo/play.ts')).play(readOnly === true);
    });
}
