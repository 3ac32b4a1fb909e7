/**
 * Reads a public key from stdin and puts it into ~/.ssh/authorized_keys, as ssh-copy-id does. Says `there`, or `added`
 * with what it had to make for it: `folder`, `file`, `newline`.
 */
export const ADD_KEY = `set -e
cd
umask 077
made=
file=.ssh/authorized_keys
read -r type blob comment
if [ -e "$file" ] && grep -qF "$blob" "$file"; then echo there; exit; fi
if [ ! -d .ssh ]; then mkdir .ssh; made="$made folder"; fi
if [ ! -e "$file" ]; then
  made="$made file"
elif [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then
  echo >>"$file"
  made="$made newline"
fi
echo "$type $blob $comment" >>"$file"
echo added$made`;

/**
 * Takes the key whose base64 is $1 out again, and what was made for it ($2): all or nothing, in the place of the file
 * that a link leads to. Says `removed` or `absent`.
 */
export const REMOVE_KEY = `set -e
cd
file=.ssh/authorized_keys
if [ ! -e "$file" ] || ! grep -qF "$1" "$file"; then echo absent; exit; fi
real=$(readlink -f "$file")
draft=$(mktemp "$real.XXXXXX")
trap 'rm -f "$draft"' EXIT
cp -p "$real" "$draft" 2>/dev/null || :
grep -vF "$1" "$real" >"$draft" || [ $? = 1 ]
case $2 in *newline*)
  text=$(cat "$draft"; echo x)
  text=\${text%x}
  printf %s "\${text%?}" >"$draft"
esac
mv -f "$draft" "$real"
case $2 in *file*) [ -s "$real" ] || rm -f "$real" ;; esac
case $2 in *folder*) rmdir .ssh 2>/dev/null || : ;; esac
echo removed`;
