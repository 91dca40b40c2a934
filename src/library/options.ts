import type { ProgressState } from "../model/progress/progress-state.js";
import type { SessionResult } from "./session-result.js";

/**
 * What every run takes: the command line's settings under the names of their flags, and who hears
 * of the run. A number may be given as text, with a unit where the flag takes one.
 */
export interface SessionOptions {
  /** Session directories, or globs; by default `sessions` in the `data_dir` of `tele.conf`. */
  sessionDir?: string | readonly string[] | undefined;
  /** The server's `tele.conf`; `~/.telerc` by default, if it exists. */
  config?: string | undefined;
  /** Whether a missing directory, or a glob that matches nothing, counts as empty. */
  allowMissing?: boolean | undefined;
  /** Takes only one part of the sessions: `"2/5"`. */
  shard?: string | undefined;
  /** Takes one of this many parts: the one that `JOB_COMPLETION_INDEX` in `environment` names. */
  shardCount?: number | string | undefined;

  /** A redis:, rediss: or unix: URL, read as redis-py reads it. */
  url?: string | undefined;
  /** `localhost` by default. */
  host?: string | undefined;
  /** 6379 by default. */
  port?: number | string | undefined;
  /** Number of the Redis database; 0 by default. */
  db?: number | string | undefined;
  /** Redis user name. */
  username?: string | undefined;
  /** Redis password. */
  password?: string | undefined;
  /** A file with the Redis password; one line break at its end is dropped. */
  passwordFile?: string | undefined;

  /** Whether to connect with TLS. */
  tls?: boolean | undefined;
  /** PEM file with the authorities to trust; those that Node trusts by default. */
  cacert?: string | undefined;
  /** PEM file with the client certificate. */
  cert?: string | undefined;
  /** PEM file with its key. */
  key?: string | undefined;
  /** The name that the server's certificate must carry; the host by default. */
  tlsServername?: string | undefined;
  /** Whether to leave the server's certificate unverified. */
  tlsInsecure?: boolean | undefined;

  /** Sentinels to ask for the master: `"sentinel-1:26379"`. */
  sentinel?: string | readonly string[] | undefined;
  /** The name that they know it by. */
  sentinelMaster?: string | undefined;
  /** A file with the Sentinels' own password. */
  sentinelPasswordFile?: string | undefined;
  /** Whether the server is a node of a Redis Cluster. */
  cluster?: boolean | undefined;

  /** Prefix of the applet's keys; none by default. */
  prefix?: string | undefined;
  /** How keys with a prefix look; what Redis already holds (`auto`) by default. */
  keyLayout?: "documented" | "applet" | "auto" | undefined;
  /** Seconds that an authenticated session lives; a week by default. */
  expiration?: number | string | undefined;
  /** Seconds that an anonymous session lives; three hours by default. */
  expirationAnonymous?: number | string | undefined;
  /** Whether lifetimes count from now (the default), or from the file's last modification. */
  ttl?: "full" | "remaining" | undefined;
  /** Which value wins if the place of a session holds a different one; the newest by default. */
  onConflict?: "newest" | "keep" | "overwrite" | undefined;

  /** How many sessions may fail, or `"1%"`, before the run counts as partial; 0 by default. */
  maxFailed?: number | string | undefined;
  /** The share of an earlier copy's keys that may be missing; `"20%"` by default. */
  maxEnded?: string | undefined;
  /** Bytes of JSON that a session may take, or `"16MiB"`, the default. */
  maxSessionSize?: number | string | undefined;
  /** Sessions per second; no limit by default. */
  maxRate?: number | string | undefined;
  /** Stops after this many seconds, or `"1h30m"`; no limit by default. */
  maxDuration?: number | string | undefined;
  /** How long to try to reach Redis once the connection is lost: seconds, or `"5m"`, the default. */
  retryFor?: number | string | undefined;
  /** Threads that read session files, this one counted; by processors and files by default. */
  lanes?: number | string | undefined;
  /** Whether reports and results show session ids whole. Each is a credential. */
  showIds?: boolean | undefined;

  /** Variables to read settings from, as the command line does; none by default. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Stops the run when it is aborted: what is in flight is finished, and a later run goes on. */
  signal?: AbortSignal | undefined;
  /** Hears every warning once, as a sentence. */
  onWarning?(warning: string): void;
  /** Hears how far the run has come, at each new phase and every second. */
  onProgress?(state: ProgressState): void;
  /** Hears what became of each session file. */
  onOutcome?(result: SessionResult): void;
}

/** How session files are written; as the directory holds them, or as the server does, by default. */
interface FileOptions extends SessionOptions {
  /** Where session files lie in the directory. */
  layout?: "flat" | "scattered" | undefined;
  format?: "pickle" | "json" | undefined;
  /** The server that is to read them: `"8.0"` to `"19.0"`, or `"tele-1.0"`. */
  server?: string | undefined;
}

export interface ExportOptions extends FileOptions {
  /** Whether to write and remove nothing, and report what would be. */
  dryRun?: boolean | undefined;
  /** Whether to skip the checks that can only warn. */
  skipCheck?: boolean | undefined;
}

/** What runs take that write to Redis or remove files. */
interface ChangingOptions extends SessionOptions {
  /** Whether to write and remove nothing, and report what would be. */
  dryRun?: boolean | undefined;
  /** Whether to remove originals even if a server still uses the directory. */
  inUse?: boolean | undefined;
  /** Promises that no other run copies this directory, for a Redis that cannot tell. */
  alone?: boolean | undefined;
  /** Whether to skip the checks that can only warn. */
  skipCheck?: boolean | undefined;
  /** Replicas that must have a session before its original is removed; 0 by default. */
  waitReplicas?: number | string | undefined;
}

export interface CopyOptions extends ChangingOptions {
  /** Whether to remove the originals afterwards that Redis is proven to hold. */
  purge?: boolean | undefined;
  /** Whether to write sessions too that an earlier run wrote and that have ended since. */
  again?: boolean | undefined;
}

export interface PurgeOptions extends ChangingOptions {
  /** Whether to remove session files without asking Redis. It needs `yes`. */
  unverified?: boolean | undefined;
  /** Confirms `unverified`. */
  yes?: boolean | undefined;
}

export interface VerifyOptions extends FileOptions {
  /** Whether to compare every key with its session file, and not every file with its key. */
  reverse?: boolean | undefined;
  /** Looks at only this share of the sessions: `"5%"`. */
  sample?: string | undefined;
}
