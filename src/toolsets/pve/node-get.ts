import { z } from 'zod';
import { answer, type Facts } from '../../present/answer.ts';
import { node } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { attempt, noted } from './attempt.ts';
import {
  type ReadPart,
  readDisks,
  readNetwork,
  readServices,
  readStatus,
  readUpdates,
  readVersions,
} from './node-parts.ts';
import { eachNode } from './nodes.ts';

const parts = {
  status: readStatus,
  services: readServices,
  updates: readUpdates,
  versions: readVersions,
  disks: readDisks,
  network: readNetwork,
} satisfies Record<string, ReadPart>;
const names = Object.keys(parts) as (keyof typeof parts)[];

export default definePveTool({
  name: 'pve_node_get',
  title: 'Look at one node',
  effect: 'read',
  core: true,
  summary:
    'All about one node, by section: status (version, kernel, load, memory, root disk), services, updates that ' +
    'wait, package versions, physical disks with health, network interfaces.',
  search: 'host server hardware cpu ram uptime smart wearout ssd nvme systemd apt upgrade bridge bond vlan ip kernel',
  input: {
    node,
    section: z
      .array(z.enum(names))
      .min(1)
      .max(names.length)
      .default(['status', 'services'])
      .describe('Which sections.'),
  },

  async run({ node: name, section }, context) {
    const wanted = names.filter((one) => section.includes(one));
    const notes: string[] = [];
    const read = async (there: string): Promise<Facts[]> => {
      const reading = wanted.map((one) => parts[one](context, there));
      // Where nothing can be read there is nothing to answer with.
      await Promise.any(reading).catch((none: AggregateError) => {
        throw none.errors[0];
      });
      const told = wanted.map(async (one, i) => [
        one,
        await attempt(Promise.resolve(reading[i]), notes, `Section ${one}`),
      ]);
      return [Object.fromEntries(await Promise.all(told))];
    };
    const [facts] = await eachNode(context, name, read, notes);
    return answer(`Node ${name}: ${wanted.join(', ')}`, { node: name, ...facts, notes: noted(notes) });
  },
});
