import { asFailure } from '../../failure.ts';
import { fetchCertificate } from '../../pve/certificate.ts';
import type { Ssh } from '../../ssh/client.ts';
import { type Stage, serverOf } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';

const plain = (fingerprint: string): string => fingerprint.replace(/[^0-9a-f]/gi, '').toLowerCase();

/** What pveproxy shows: its own certificate when one was uploaded, else the node's. */
const ITS_OWN = `for file in /etc/pve/local/pveproxy-ssl.pem /etc/pve/local/pve-ssl.pem; do
  [ -r "$file" ] && exec openssl x509 -noout -fingerprint -sha256 -in "$file"
done
exit 1`;
const SSH_MS = 15_000;

/** The certificate's fingerprint as the host itself tells it over SSH; undefined when it does not. */
async function toldBySsh(stage: Stage, ssh: Ssh): Promise<string | undefined> {
  if (!stage.draft.loginWorks) return undefined;
  const sudo = stage.draft.sshUser !== 'root';
  const result = await ssh.run(serverOf(stage), { script: ITS_OWN, sudo, timeoutMs: SSH_MS }).catch(() => undefined);
  const fingerprint = plain(/=([0-9A-F:]{95})\s*$/i.exec(result?.stdout.text ?? '')?.[1] ?? '');
  return fingerprint === '' ? undefined : fingerprint;
}

/** Step: the API's certificate, pinned when its fingerprint is vouched for. Nothing is sent to whoever shows it. */
export async function pinCertificate(stage: Stage, ssh: Ssh): Promise<void> {
  const { ask, answers, draft, loaded } = stage;
  if (!draft.apiAnswers) return note('Left out, because the API does not answer.');
  try {
    const { fingerprint, subject, validTo } = await during(
      'Fetching the certificate',
      fetchCertificate(draft.host, draft.apiPort),
    );
    note(`It shows a certificate for ${subject}, valid until ${validTo}.`);
    note(`SHA-256 ${fingerprint}`);
    const pin = (why: string): void => {
      draft.fingerprint = fingerprint;
      done(`Pinned: ${why}`);
    };
    const expected = answers.fingerprint;
    if (typeof expected === 'string') {
      if (plain(expected) === plain(fingerprint)) return pin('it is the one that was given.');
      return trouble(
        `That is not the ${expected} that was given, so it is not pinned.`,
        'Find out which one is right.',
      );
    }
    const pinned = [loaded.settings.proxmoxFingerprint ?? []].flat();
    if (pinned.some((one) => plain(one) === plain(fingerprint))) return pin('it is the one that was pinned before.');
    const told = await toldBySsh(stage, ssh);
    if (told === plain(fingerprint)) return pin('the host says the same over SSH.');
    if (told !== undefined)
      return trouble('Over SSH the host tells another one.', 'Somebody may be in between; it is not pinned.');
    note('The web interface shows it under the node, System, Certificates; the host itself by: pvenode cert info');
    if (await ask.vouch('Is that the fingerprint of your server?')) return pin('as you said.');
    trouble('It is not pinned.', 'Give it by --fingerprint, or set PROXMOX_FINGERPRINT, once it was compared.');
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === 'cancelled') throw failure;
    trouble(failure.message, failure.hint);
  }
}
