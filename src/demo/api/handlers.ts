import type { Handlers } from './call.ts';
import { accessHandlers } from './handlers/access.ts';
import { agentHandlers } from './handlers/agent.ts';
import { archiveHandlers } from './handlers/archives.ts';
import { clusterHandlers } from './handlers/cluster.ts';
import { configHandlers } from './handlers/config.ts';
import { createHandlers } from './handlers/create.ts';
import { diskHandlers } from './handlers/disks.ts';
import { groupHandlers } from './handlers/groups.ts';
import { guestHandlers } from './handlers/guests.ts';
import { hardwareHandlers } from './handlers/hardware.ts';
import { logHandlers } from './handlers/logs.ts';
import { migrateHandlers } from './handlers/migrate.ts';
import { nodePowerHandlers } from './handlers/node-power.ts';
import { nodeHandlers } from './handlers/nodes.ts';
import { provisionHandlers } from './handlers/provision.ts';
import { rrdHandlers } from './handlers/rrd.ts';
import { serviceHandlers } from './handlers/services.ts';
import { snapshotHandlers } from './handlers/snapshots.ts';
import { storageHandlers } from './handlers/storage.ts';
import { taskHandlers } from './handlers/tasks.ts';

/** What answers each method of the rules, by `GET /path`. */
export const allHandlers = (): Handlers => ({
  ...accessHandlers,
  ...agentHandlers(),
  ...archiveHandlers,
  ...clusterHandlers,
  ...configHandlers,
  ...createHandlers,
  ...diskHandlers,
  ...groupHandlers,
  ...guestHandlers,
  ...hardwareHandlers,
  ...logHandlers,
  ...migrateHandlers,
  ...nodeHandlers,
  ...nodePowerHandlers,
  ...provisionHandlers,
  ...rrdHandlers,
  ...serviceHandlers,
  ...snapshotHandlers,
  ...storageHandlers,
  ...taskHandlers,
});
