/** PVE's own wording for values that do not have a named format; `undefined` when they do. Source: PVE::JSONSchema. */
export function formatError(format: string, value: string): string | undefined {
  const list = /^(.*)-list$/.exec(format);
  const check = checks[format];
  if (check) return check(value);
  const item = list?.[1] === undefined ? undefined : checks[list[1]];
  if (item === undefined) return undefined;
  return splitList(value)
    .map(item)
    .find((error) => error !== undefined);
}

/** `a,b c;d` and NUL-separated, as PVE::Tools::split_list takes it. */
export const splitList = (text: string): string[] => text.split(/[,;\s\0]+/).filter((item) => item !== '');

type Check = (value: string) => string | undefined;

const matches =
  (pattern: RegExp, error: (value: string) => string): Check =>
  (value) =>
    pattern.test(value) ? undefined : `${error(value)}\n`;

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const contents = ['images', 'rootdir', 'vztmpl', 'iso', 'backup', 'snippets', 'import', 'none'];
const volume = matches(/^[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]:.+$/, (value) => `unable to parse volume ID '${value}'`);

const checks: Readonly<Record<string, Check>> = {
  'pve-node': matches(new RegExp(`^${label}$`), () => 'value does not look like a valid node name'),
  'pve-vmid': matches(/^[1-9][0-9]{2,8}$/, () => 'value does not look like a valid VM ID'),
  'pve-configid': matches(/^[a-z][a-z0-9_-]+$/i, (value) => `invalid configuration ID '${value}'`),
  'pve-storage-id': matches(
    /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
    (value) => `storage ID '${value}' contains illegal characters`,
  ),
  'pve-storage-content': (value) => (contents.includes(value) ? undefined : `invalid content type '${value}'\n`),
  'pve-userid': matches(
    /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/,
    (value) => `value '${value}' does not look like a valid user name`,
  ),
  'pve-tag': matches(/^[a-z0-9_][a-z0-9_\-+.]*$/i, () => 'invalid characters in tag'),
  'pve-volume-id': volume,
  'dns-name': matches(new RegExp(`^(?:${label}\\.)*${label}$`), () => 'value does not look like a valid DNS name'),
  'pve-task-status-type': matches(
    /^(ok|error|warning|unknown)$/,
    (value) => `value '${value}' is not a valid task status type`,
  ),
  'mac-addr': matches(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, () => 'value does not look like a valid unicast MAC address'),
  'disk-size': matches(/^\d+(\.\d+)?[KMGT]?$/, () => 'value does not look like a valid disk size'),
};
