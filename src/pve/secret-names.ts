/** Whether members and parameters of that name hold a secret of somebody: the names that the API has for such, and ours. */
export const namesSecret = (name: string): boolean =>
  /(^|[-_.])(ci)?(password|passwd|secret|token|ticket|authkey|client-key|encryption-key|keyring|private-?key|recovery|CSRFPreventionToken|webhook)$/i.test(
    name,
  );
