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
 * most. It comes in crowds: the facts of all, a line each, and NUL; their names, each ended by NUL, and NUL; name and
 * target of the links among them, and NUL. One stat tells of a whole crowd, unless one of it is gone meanwhile: then a
 * line would belong to another.
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
crowd() {
  all=$(stat -c "%f %s %a %u %g %Y %h %i %d %U:%G" -- "$@" 2>/dev/null)
  [ "$(echo "$all" | wc -l)" -eq $# ] && [ -n "$all" ] || return 1
  printf "%s\\0" "$all" "$@" ""
  for one; do
    [ ! -L "$one" ] || ! to=$(readlink -- "$one" && echo .) || printf "%s\\0" "$one" "\${to%??}"
  done
  printf "\\0"
}
crowd "$@" || for one; do crowd "$one"; done
exit 0
'
find "$at" -mindepth $from -maxdepth "$deep" -name "$name" -print0 | xargs -0 -n 1000 sh -c "$each" sh | head -c "$most"
`);

/** Reads fields that are ended by NUL; undefined where the end of one did not come. */
class Fields {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): Buffer | undefined {
    const end = this.bytes.indexOf(0, this.#at);
    const field = end < 0 ? undefined : this.bytes.subarray(this.#at, end);
    this.#at = end < 0 ? this.bytes.length : end + 1;
    return field;
  }

  /** All up to an empty one. */
  rest(): Buffer[] {
    const fields: Buffer[] = [];
    for (let field = this.next(); field?.length; field = this.next()) fields.push(field);
    return fields;
  }
}

const withoutDot = (name: Buffer): Buffer => (name.subarray(0, 2).toString() === './' ? name.subarray(2) : name);

/** Reads the body of LIST; of what was cut off at its end, as much as is certain. */
export function entriesOf(body: Buffer): Entry[] {
  const fields = new Fields(body);
  const entries: Entry[] = [];
  for (let facts = fields.next(); facts !== undefined; facts = fields.next()) {
    const lines = facts.toString().split('\n');
    const names = fields.rest();
    const links = fields.rest();
    const targets = new Map<string, Buffer>();
    for (let i = 0; i + 1 < links.length; i += 2)
      targets.set(String(links[i]?.toString('latin1')), links[i + 1] as Buffer);
    for (const [i, name] of names.entries()) {
      entries.push({
        name: withoutDot(name),
        facts: factsOf(lines[i] ?? ''),
        target: targets.get(name.toString('latin1')),
      });
    }
  }
  return entries;
}
