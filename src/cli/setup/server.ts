import type { Kind } from '../../config/values.ts';
import { host, loginName, wholeNumber } from '../../config/values.ts';
import type { Old } from '../../setup/moving.ts';
import { unreachable } from '../../setup/reach.ts';
import type { Draft, Stage } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';

const checkOf =
  ({ schema, takes }: Kind<unknown>) =>
  (answer: string): string | undefined =>
    schema.safeParse(answer).success ? undefined : `It must be ${takes}.`;

const port = wholeNumber(1, 65535);

/** Step 1: where the server is, and whether it answers there. */
export async function askServer({ ask, loaded, draft, old }: Stage): Promise<void> {
  const { settings, sources, clusters } = loaded;
  const [set] = clusters[0].endpoints;
  const first = <K extends keyof Old>(key: K): Old[K] | undefined => old.find((one) => one[key] !== undefined)?.[key];
  const known = { host: set?.host ?? first('host'), port: set?.port ?? first('apiPort') };
  for (const { label } of old) note(`Found ${label}: its settings are offered.`);
  const text = (flag: string, question: string, initial: string | undefined, kind: Kind<unknown>): Promise<string> =>
    ask.text({ flag, question, initial, check: checkOf(kind) });
  draft.host = await text('host', 'Name or address of the Proxmox VE host', known.host, host);
  draft.apiPort = Number(await text('api-port', 'Port of its API', String(known.port ?? settings.proxmoxPort), port));
  draft.sshUser = await text(
    'ssh-user',
    'SSH login',
    sources.sshUser === 'default' ? (first('sshUser') ?? settings.sshUser) : settings.sshUser,
    loginName,
  );
  draft.sshPort = Number(
    await text(
      'ssh-port',
      'SSH port',
      String(sources.sshPort === 'default' ? (first('sshPort') ?? settings.sshPort) : settings.sshPort),
      port,
    ),
  );
  [draft.apiAnswers, draft.sshAnswers] = [
    await answers('The API', draft, draft.apiPort, 'systemctl status pveproxy'),
    await answers('SSH', draft, draft.sshPort, 'systemctl status ssh'),
  ];
  if (sources.proxmoxHost !== 'default' && set?.host !== draft.host) {
    trouble(`The settings name ${set?.host} so far.`, `From now on they name ${draft.host}.`);
  }
}

async function answers(what: string, { host }: Draft, port: number, look: string): Promise<boolean> {
  const why = await during(`Looking whether ${what} answers`, unreachable(host, port));
  if (why === undefined) done(`${what} answers at ${host}:${port}`);
  else {
    const cure = `Check address and port, and on the host: ${look}. Then run the set-up again.`;
    trouble(`${what} cannot be reached at ${host}:${port}: ${why}.`, cure);
  }
  return why === undefined;
}
