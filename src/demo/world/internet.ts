/** A file that can be downloaded. */
export interface WebFile {
  /** Bytes. */
  readonly size: number;
  readonly mimetype: string;
  readonly sha256: string;
}

const MiB = 1024 ** 2;

/** What the pretend internet holds, by URL; every other host has no route. */
export const internet: Readonly<Record<string, WebFile>> = {
  'https://cdimage.debian.org/debian-cd/13.2.0/amd64/iso-cd/debian-13.2.0-amd64-netinst.iso': {
    size: 784 * MiB,
    mimetype: 'application/x-iso9660-image',
    sha256: '677c4d57aa034dc192b5191870141057574c1b05df2b9569c0ee08aa4e32125d',
  },
  'https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2': {
    size: 330 * MiB,
    mimetype: 'application/octet-stream',
    sha256: '4e5ade410cd91bcec2ee850bd2899c5594a38def56edc05bc7fac4a78980f209',
  },
};

/** What wget says of a host that cannot be reached (recording c-dlurl). */
export function unreachable(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `Connecting to ${hostname}:${port || (protocol === 'https:' ? 443 : 80)}... failed: No route to host.`;
}
