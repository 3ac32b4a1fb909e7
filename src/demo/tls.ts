import { X509Certificate } from 'node:crypto';

export interface Certificate {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** SHA-256 of the DER, upper-case hex with colons, as Proxmox VE shows it. */
  readonly fingerprint: string;
}

/** A new self-signed certificate for a node on loopback. Its key exists in memory only. */
export async function makeCertificate(node: string): Promise<Certificate> {
  const { generate } = await import('selfsigned');
  const subject = [
    { shortName: 'OU', value: 'PVE Cluster Node' },
    { shortName: 'O', value: 'Proxmox Virtual Environment' },
    { shortName: 'CN', value: `${node}.homelab.lan` },
  ];
  const made = await generate(subject, {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: node },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const { fingerprint256 } = new X509Certificate(made.cert);
  return { keyPem: made.private, certificatePem: made.cert, fingerprint: fingerprint256 };
}
