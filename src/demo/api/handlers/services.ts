import type { Service } from '../../world.ts';
import type { Call, Handler, Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';

const row = (service: Service) => ({
  'active-state': service.state === 'running' ? 'active' : service.state === 'failed' ? 'failed' : 'inactive',
  desc: service.description,
  name: service.name,
  service: service.name,
  state: service.state,
  'unit-state': service.unitState,
});

/** Only the services that Proxmox VE knows: the rules let no other name through. */
function find(call: Call): Service {
  const service = call.node.services.find(({ name, pve }) => pve && name === call.text('service'));
  if (service === undefined) throw new ApiError(500, `no such service '${call.text('service')}'\n`);
  return service;
}

const change =
  (verb: 'start' | 'stop' | 'restart' | 'reload'): Handler =>
  (call) =>
    call.world.changeService(call.node, find(call).name, verb, call.by).upid;

export const serviceHandlers: Handlers = {
  'GET /nodes/{node}/services': (call) => call.node.services.filter(({ pve }) => pve).map(row),
  'GET /nodes/{node}/services/{service}/state': (call) => row(find(call)),
  'POST /nodes/{node}/services/{service}/start': change('start'),
  'POST /nodes/{node}/services/{service}/stop': change('stop'),
  'POST /nodes/{node}/services/{service}/restart': change('restart'),
  'POST /nodes/{node}/services/{service}/reload': change('reload'),
};
