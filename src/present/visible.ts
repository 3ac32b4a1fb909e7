/**
 * Characters that a terminal or a reader would act on without showing them: C0 and C1 controls, DEL, bidirectional
 * overrides and isolates, invisible spaces and joiners that have no use in plain text, line separators, interlinear
 * marks, blank letters (Hangul fillers, U+034F), format characters of single scripts and of music, variation selectors of the
 * supplement, tag characters and all that is set aside beside them, and surrogates without a partner. Joiners that scripts and emoji need (ZWNJ, ZWJ, U+FE00 to FE0F) stay where one stands alone; rows
 * of them spell hidden text.
 */
const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|\u034f|\u17b4|\u17b5|\u180b|\u180c|\u180d|\u180e|\u180f|(?<=[\u200c\u200d])[\u200c\u200d]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]|[\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;

const writtenOut = (char: string): string => {
  const code = char.codePointAt(0) ?? 0;
  if (char === '\r') return '\\r';
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

/** `text` with every hidden character written out (`\x1b`, `\u{202e}`); newline and tab stay, CRLF becomes LF. */
export const visible = (text: string): string => text.replaceAll('\r\n', '\n').replace(hidden, writtenOut);

/** The same for a place that is one line: newline and tab are written out too. */
export const visibleLine = (text: string): string => visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
