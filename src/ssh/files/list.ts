import { type FileFacts, factsOf } from './facts.ts';
import { fileReading } from './script.ts';

/** One entry of a folder. Names are bytes, as the host has them. */
export interface Entry {
  /** Relative to the folder. */
  readonly name: Buffer;
  readonly facts: FileFacts;
  /** Where a link leads. */
  readonly target?: Buffer;
}

/**
 * Lists a folder, or a single file. Arguments: the folder; how deep; which names, as a pattern; how many bytes of it at
 * most. Each entry is a name, its facts and the target of a link, each ended by NUL. All facts of a crowd come from one
 * stat, unless one of them is gone meanwhile: then a line would belong to another.
 */
export const LIST = fileReading(`deep=$2 name=$3 most=$4 from=1 at=.
look "$f" || no missing
tell stat "$s"
real "$f" && tell real "$r"
if [ -d "$f" ]; then
  cd -- "$f" 2>/dev/null && [ -r . ] || no denied
else
  at=./\${f##*/} from=0 deep=0 name='*'
  cd -- "\${f%/*}/" || no denied
fi
printf '\\0'
each='
facts() { stat -c "%f %s %a %u %g %Y %h %i %d %U:%G" -- "$@" 2>/dev/null; }
show() {
  to=
  if [ -L "$1" ]; then
    to=$(readlink -- "$1" && echo .)
    to=\${to%??}
  fi
  printf "%s\\0%s\\0%s\\0" "$1" "$2" "$to"
}
all=$(facts "$@")
if [ "$(echo "$all" | wc -l)" -eq $# ]; then
  echo "$all" | while IFS= read -r line; do
    show "$1" "$line"
    shift
  done
else
  for one; do ! line=$(facts "$one") || show "$one" "$line"; done
fi
'
find "$at" -mindepth $from -maxdepth "$deep" -name "$name" -exec sh -c "$each" sh {} + | head -c "$most"
`);

/** Reads the body of LIST; what was cut off at its end is left out. */
export function entriesOf(body: Buffer): Entry[] {
  const fields: Buffer[] = [];
  for (let at = 0, end = body.indexOf(0); end >= 0; at = end + 1, end = body.indexOf(0, at)) {
    fields.push(body.subarray(at, end));
  }
  const entries: Entry[] = [];
  for (let i = 0; i + 2 < fields.length; i += 3) {
    const [name, facts, target] = fields.slice(i, i + 3) as [Buffer, Buffer, Buffer];
    const own = name.subarray(0, 2).toString() === './' ? name.subarray(2) : name;
    const known = factsOf(facts.toString());
    entries.push({ name: own, facts: known, target: known.kind === 'link' ? target : undefined });
  }
  return entries;
}
