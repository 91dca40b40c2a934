import { helpTopics } from "./help-topics.js";

/** What `--help` shows, 80 columns wide: the commands, the options used most, and examples. */
export function helpScreen(version: string): string {
  return `tele-sessions ${version} - moves the web sessions of a Tele or Odoo server from its
session directory into Redis, so that nobody is logged out.

Usage: tele-sessions <command> [options]

Look first
  inspect   what is in the session directory, and the Redis memory it needs
  check     can this run succeed? Says what to fix; changes nothing
Move
  copy      copy every session into Redis            (-n, --dry-run: rehearse)
  verify    compare every session file with Redis
  purge     remove the files that Redis is proven to hold
Afterwards
  report    turn report files into one HTML page
  export    write the sessions in Redis back to session files

Pre-deploy step, without a command:
  --stop-after-init   do what the TELE_SESSION_REDIS* switches say, then exit

Most used
  --session-dir <dir>     where the files are          TELE_SESSION_DIR
  --url <url>             the Redis server             TELE_SESSION_REDIS_URL
  --host, --port, --db    instead of --url             TELE_SESSION_REDIS_HOST
  --password-file <file>  or TELE_SESSION_REDIS_PASSWORD; never a flag
  --prefix <text>         as the server has it         TELE_SESSION_REDIS_PREFIX
  --report <file>         every count, failure and difference, as JSON
  -q, --quiet             only what is wrong           -v, --verbose: more
  -h, --help, -V, --version

Examples
  tele-sessions check --session-dir /var/lib/tele/sessions --host redis-1
  tele-sessions copy  --session-dir /var/lib/tele/sessions --host redis-1

All options: tele-sessions help copy
Topics: tele-sessions help ${helpTopics.join(" | ")}
Tab completion: tele-sessions completion bash | zsh | fish
`;
}
