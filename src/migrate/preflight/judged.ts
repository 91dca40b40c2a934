/** What the checks judge. */
export interface Judged {
  readonly command: "copy" | "purge" | "verify" | "export";
  /** Whether session files are to be removed. */
  readonly purges: boolean;
  /** Whether the command `check` shows every check; a run makes only those that matter to it. */
  readonly isCheck: boolean;
  /** Whether the session directories could be listed; without them no need can be estimated. */
  readonly hasDirectories: boolean;
}
