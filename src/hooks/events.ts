/** Everything that webhooks tell of. */
export const eventTypes = [
  'host.unreachable',
  'host.recovered',
  'hostkey.changed',
  'task.failed',
  'guard.refused',
  'change.made',
] as const;

export type EventType = (typeof eventTypes)[number];

/** What is told of an event. A list holds names of the same kind. */
export type Data = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Something that happened, and the hosts whose own webhooks are told of it beside the one for all. */
export interface Happening {
  readonly type: EventType | 'webhook.test';
  readonly data: Data;
  readonly hosts: readonly string[];
}
