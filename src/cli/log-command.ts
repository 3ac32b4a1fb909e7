import type { Command } from 'commander';
import { exportFormats } from '../log/export.ts';

/** Adds `log` and what is below it. Filters and the settings file may stand before or behind the words. */
export function logCommand(program: Command): void {
  const log = program
    .command('log')
    .description('what was asked for and what came of it: the audit, the newest last')
    .option('--settings-file <file>', 'settings file to read')
    .option('--tool <name>', 'only calls of this tool; several with commas, ssh_* is all that begin so')
    .option('--target <name>', 'only calls about this target, guest, host or node')
    .option('--effect <effect>', 'only read, change, destroy or execute')
    .option('--verdict <verdict>', 'only ok, asked, unfinished, or a kind of failure such as refused')
    .option('--client <text>', 'only calls of clients whose name holds this')
    .option('--since <time>', 'from then on: 90m, 12h, 7d (ago), 2026-11-20, "2026-11-20 10:15" (UTC)')
    .option('--until <time>', 'up to then')
    .option('--grep <pattern>', 'only calls in which this regular expression is found')
    .option('--call <id>', 'only this call')
    .option('--limit <count>', 'only so many of the newest; 0 shows all (50)')
    .option('--follow', 'go on with those that come')
    .option('--json', 'print JSON, one call a line')
    .option('--open', 'show them as a page in the browser')
    .action(async (flags) =>
      flags.open ? (await import('./log-open.ts')).logOpen(flags) : (await import('./log.ts')).list(flags),
    );
  log
    .command('show')
    .description('everything that is noted of one call, with the question that it is the answer to')
    .argument('<call>', 'the call, as log shows it')
    .action(async (call: string, _, command: Command) => {
      const { settingsFile, json } = command.optsWithGlobals();
      return (await import('./log-show.ts')).logShow(call, settingsFile, json === true);
    });
  log
    .command('verify')
    .description('whether anything was changed, removed, moved or cut since it was written; exits with 1 if so')
    .action(async (_, command: Command) => {
      const { settingsFile, json } = command.optsWithGlobals();
      return (await import('./log-verify.ts')).logVerify(settingsFile, json === true);
    });
  log
    .command('export')
    .description('write the calls for other programs')
    .addOption(log.createOption('--format <format>', 'form').choices(exportFormats).default('csv'))
    .option('--output <file>', 'a new file, instead of standard output')
    .action(async (_, command: Command) => (await import('./log-export.ts')).logExport(command.optsWithGlobals()));
}
