import { readFile } from 'node:fs/promises';

/** The pages that there are: each one HTML file that loads nothing, whose data stands in its element `data`. */
export type PageName = 'dashboard' | 'log';

/** Beside this file as it is written; beside the program, or one folder above a part of it, as it is built. */
const PLACES = ['./', './pages/', '../pages/'];

/** The page without data: a host that shows it sends them. */
export async function pageOf(name: PageName): Promise<string> {
  for (const place of PLACES) {
    const text = await readFile(new URL(`${place}${name}.html`, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`The page ${name} is not part of this installation.`);
}

/** The page with its data in it: a file that stands alone. */
export async function filledPage(name: PageName, data: unknown): Promise<string> {
  // In JSON `<` occurs in strings only; written as an escape, no string can end the element that it stands in.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return (await pageOf(name)).replace(/(<script type="application\/json" id="data">)/, (begin) => begin + json);
}
