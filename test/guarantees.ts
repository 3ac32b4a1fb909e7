/** One statement of the product that a test can show false. */
export interface Guarantee {
  readonly number: number;
  /** What it is about. */
  readonly about: string;
  readonly sentence: string;
}

const sentences: Readonly<Record<string, readonly string[]>> = {
  'Commands and connections': [
    `1,000 commands at once on one host with \`MaxSessions 10\`: 1,000 exact answers, each run once, at most 8 channels open; the queue is bounded and its first overflow answers \`busy\` at once. \`MaxSessions 1, 2, 4\` with a session held open: no failure, no deadlock.`,
    `The connection dies in mid-command: an answer within 1 s that says *connection lost, outcome unknown*; never success, never a silent retry. The next call reconnects within 5 s; 50 kill-and-restart cycles leave the file descriptors flat.`,
    `A silent peer (SIGSTOP) is noticed within 20 s. Silent TCP, half a banner, garbage, an HTTP server on the port: one clear error by the connect deadline.`,
    `Timeout or cancel: every process of the command is dead within 5 s (children that ignore INT, TERM and HUP, \`setsid\` children, root's grandchildren under sudo, processes inside a container), or the answer names what still runs. 100 of 100 runs, as root and not as root.`,
    `A command longer than 120 KiB travels on stdin, or is refused before a byte is sent; other commands on the connection never notice.`,
    `10,000 random argument lists come back byte for byte through SSH, the login shell (bash, dash, zsh) and \`pct exec\`; NUL and lone surrogates are refused.`,
    `1 GiB on stdout, 64 MiB on stderr, both at once: memory grows by 64 MiB at most, UTF-8 is never split, head and tail are kept, the totals are told.`,
    `Rekeying every 1 MiB under 6 parallel streams: byte-exact; the host key is checked once and no question is asked again.`,
    `Unknown or changed host key, \`@revoked\`, on any hop: refused before authentication, with the fingerprints and the command that accepts it.`,
    `A sudo password is never in argv, the environment, the remote process list, a log or an answer, whether sudo asked for it or not.`,
    `A transfer cut in the middle settles within 2 s; the final path holds the old file, the new file or nothing, never a part.`,
  ],
  'Proxmox API': [
    `Wrong certificate: refused, 0 bytes of HTTP sent, on 100 of 100 reconnects, with \`NODE_TLS_REJECT_UNAUTHORIZED=0\` in the environment too. First contact carries no token.`,
    `401, 403, 404, 500 to 504, 595 to 599, refused, DNS, TLS silence, no headers, a stalled, dripping, truncated or non-JSON body, 100 MiB, half-close, reset: one mapped failure by the deadline, the connection pool intact.`,
    `POST, PUT and DELETE leave at most once under every one of these faults; GET at most 3 times.`,
    `Task: \`OK\`, \`WARNINGS: n\`, error, node gone, 60 s of API outage while waiting, never ending: told truthfully; past the deadline the UPID and *running*, within 90 s.`,
    `Every request of every tool is valid by PVE's own API schema: path, method, names, types, enums, nothing extra.`,
    `A 403 names the privilege and the path, says whether privilege separation or a root@pam-only call is the reason, and gives the \`pveum\` line that cures it.`,
  ],
  Guard: [
    `Read-only: every tool that is not \`read\`, called by name, leaves 0 writes on the API and 0 channels on SSH. The list comes from the registry.`,
    `Protected guests: 10,000 spellings of their ids in every argument, the raw API path included: 0 reach the wire.`,
    `Confirmation declined, cancelled, timed out, unsupported, answered for a guest that changed meanwhile, replayed: 0 effects.`,
    `Secrets (8 kinds) through every tool and every error path, plain and in 6 encodings: 0 in stdout, stderr, logs, audit, answers, argv, child environment.`,
    `Audit: the intent is on disk before the act; a full disk refuses changes; an edited, removed or cut line is found by \`log verify\`.`,
    `10,000 hostile outputs (forged fences, ANSI, OSC 8 and 52, bidi, tag characters) stay inside the fence; the JSON stays valid.`,
  ],
  Process: [
    `10,000 fuzzed calls and 5,000 garbage lines: alive, 0 unhandled rejections, stdout is JSON-RPC and nothing else, every id answered once. A 12 MiB line has a defined answer.`,
    `End of stdin, SIGINT, SIGTERM: gone within 400 ms when idle and 2 s when busy, running calls answered or their remote processes ended, no orphan.`,
    `No listening socket in stdio mode. 24 h at one call a second with faults: memory and descriptors within 10 %.`,
    `Installer and uninstaller killed at any system call, or on a full disk: \`~/.claude.json\` stays valid JSON, other keys byte-identical, mode and symlink kept.`,
    `The packed tarball, installed in an empty folder, serves a client of each SDK generation and the newest Claude Code.`,
  ],
};

/** What the product promises, numbered from 1. */
export const guarantees: readonly Guarantee[] = Object.entries(sentences)
  .flatMap(([about, all]) => all.map((sentence) => ({ about, sentence })))
  .map((each, i) => ({ number: i + 1, ...each }));
