/** Everything that a secret may be written as, by name; the first is as it is. */
export const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64').replace(/=+$/, ''),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hex: (text) => Buffer.from(text).toString('hex'),
  percent: encodeURIComponent,
  json: (text) => JSON.stringify(text).slice(1, -1),
  shell: (text) => text.replaceAll("'", "'\\''"),
};

export const spellings = (secret: string): string[] => Object.values(encodings).map((encode) => encode(secret));

/** Looks for secrets in everything that comes out, and counts what it looked through. */
export class Canary {
  /** How many texts, and characters of them. */
  texts = 0;
  characters = 0;

  constructor(private readonly secrets: () => Readonly<Record<string, string>>) {}

  /** Where a secret is, in any spelling; no line when it is nowhere. */
  leaksIn(place: string, text: string): string[] {
    this.texts += 1;
    this.characters += text.length;
    return Object.entries(this.secrets()).flatMap(([name, secret]) =>
      Object.entries(encodings)
        .filter(([, encode]) => text.includes(encode(secret)))
        .map(([encoding]) => `${name} in ${encoding} in ${place}`),
    );
  }

  /** `1,200 texts of 3.4 MiB`. */
  get seen(): string {
    return `${this.texts.toLocaleString('en')} texts of ${(this.characters / 1024 ** 2).toFixed(1)} MiB`;
  }
}

/** Every secret in every spelling, as a careless or hostile server may say it anywhere. */
export const allOf = (secrets: readonly string[]): string => secrets.flatMap(spellings).join(' | ');
