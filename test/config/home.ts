import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Loaded, loadSettings, type Surroundings } from '../../src/config/load.ts';

/** A home folder of its own on the real file system, gone when the test is over. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), 'home-'));
  readonly settingsFile = join(this.path, '.config/proxmox-ssh-mcp/.env');

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
  }

  write(name: string, text: string, mode = 0o600): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  settings(text: string, mode?: number): string {
    return this.write('.config/proxmox-ssh-mcp/.env', text, mode);
  }

  around(given: Partial<Surroundings> = {}): Surroundings {
    return {
      flags: {},
      env: {},
      home: this.path,
      uid: process.getuid?.(),
      readFile: (path) => readFileSync(path, 'utf8'),
      run: () => '',
      keychain: () => undefined,
      stat: statSync,
      ...given,
    };
  }

  load(given: Partial<Surroundings> = {}): Loaded {
    return loadSettings(this.around(given));
  }
}
