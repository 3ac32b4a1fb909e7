import { definePveTool } from '../tool.ts';
import { tellDatacentre } from './all-clusters.ts';

export default definePveTool({
  name: 'pve_overview',
  title: 'Overview of the datacentre',
  effect: 'read',
  core: true,
  spans: true,
  summary:
    'The whole datacentre at a glance: quorum, nodes with load and version, guests by state, storage use, and ' +
    'what needs attention (nodes offline, full storages, locked guests, failed tasks).',
  search: 'health status dashboard server resources cpu ram memory uptime summary cluster standalone proxmox problems',
  input: {},

  run: (_, context) => tellDatacentre(context, ({ facts }) => facts),
});
