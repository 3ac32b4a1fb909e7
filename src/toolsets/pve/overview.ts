import { answer } from '../../present/answer.ts';
import { definePveTool } from '../tool.ts';
import { seeDatacentre } from './datacentre.ts';

export default definePveTool({
  name: 'pve_overview',
  title: 'Overview of the datacentre',
  effect: 'read',
  core: true,
  summary:
    'The whole datacentre at a glance: quorum, nodes with load and version, guests by state, storage use, and ' +
    'what needs attention (nodes offline, full storages, locked guests, failed tasks).',
  search: 'health status dashboard server resources cpu ram memory uptime summary cluster standalone proxmox problems',
  input: {},

  async run(_, context) {
    const { headline, facts } = await seeDatacentre(context);
    return answer(headline, facts);
  },
});
