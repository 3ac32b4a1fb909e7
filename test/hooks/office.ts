import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Happening } from '../../src/hooks/events.ts';
import { Office, type OfficeOptions } from '../../src/hooks/office.ts';
import { Secret } from '../../src/secret.ts';
import type { Identity } from '../rig/tls.ts';
import { newSecret, Receiver } from './receiver.ts';

/** A test's own, because tests run at once. */
export interface Running {
  onTestFinished(stop: () => unknown): void;
}

/** A folder that is gone when the test is over. */
export function folderOf({ onTestFinished }: Running): string {
  const folder = mkdtempSync(join(tmpdir(), 'psm-hooks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A receiver, and offices as processes have them: `open` makes one more on the same folder. */
export async function labOf(test: Running, ca: Identity | undefined, over: Partial<OfficeOptions> = {}) {
  const { onTestFinished } = test;
  const receiver = await Receiver.start(ca);
  onTestFinished(() => receiver.stop());
  const secret = newSecret();
  const told: string[] = [];
  const folder = folderOf(test);
  const open = (more: Partial<OfficeOptions> = {}): Office => {
    const office = new Office({
      folder: join(folder, 'webhooks'),
      secret: new Secret(secret.replace('whsec_', '')),
      version: '1.2.3',
      ca: ca?.cert,
      plainHttp: false,
      redact: (text) => text,
      tell: (text) => told.push(text),
      ...over,
      ...more,
    });
    onTestFinished(() => office.close(0));
    return office;
  };
  return { receiver, secret, told, folder: join(folder, 'webhooks'), open };
}

/** Changes that are told apart by their tool. */
export const change = (tool: string): Happening => ({ type: 'change.made', data: { tool }, hosts: [] });
