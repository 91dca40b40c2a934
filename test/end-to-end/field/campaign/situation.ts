import type { RunningCommand } from "../../../support/process/command.js";
import type { Field } from "./field.js";

/** What must be after a run. A member that is absent is not looked at. */
export interface Expectation {
  /** The exit code, or those that the contract leaves open. */
  readonly exit: number | readonly number[];
  /** Each is found in what the run says on stderr, in any case. */
  readonly says?: readonly (string | RegExp)[];
  /** None is found there. */
  readonly hides?: readonly (string | RegExp)[];
  /** Members of `sessions` in the report. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The reasons in `failures`, sorted. */
  readonly reasons?: readonly string[];
  /** Keys that begin with `session:`. */
  readonly keys?: number;
  /** Regular files in and below the session directory. */
  readonly files?: number;
}

/**
 * One situation that an operator can meet: how it comes about, the command, and what must be
 * afterwards.
 */
export interface Situation {
  readonly name: string;
  /** Whether something breaks for real while it runs, or before. */
  readonly fault?: boolean;
  /** Only run with TELE_SESSIONS_CAMPAIGN=all. */
  readonly slow?: boolean;
  /** Only root can bring it about. */
  readonly root?: boolean;
  /** Switches of a Redis of its own; without them it shares one that was emptied. */
  readonly redis?: readonly string[];
  /** Ordinary sessions in the directory beforehand; 9 by default. */
  readonly sessions?: number;
  readonly prepare?: (field: Field) => unknown;
  /**
   * The command and its flags. `--json` and `--retry-for` are added, and where to go if `where`
   * leaves it out.
   */
  readonly run: (field: Field) => readonly string[];
  /** What `run` names itself. */
  readonly where?: readonly ("directory" | "redis")[];
  readonly environment?: (field: Field) => Readonly<Record<string, string>>;
  /** A command that is given Node's own to run. */
  readonly under?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly meanwhile?: (field: Field, running: RunningCommand) => Promise<unknown>;
  /**
   * The operator asked for no copy, or for removal without proof: the general rule does not bind
   * it.
   */
  readonly unbound?: "nothing asked" | "removal without proof";
  readonly must: Expectation;
  /** What else must be. */
  readonly afterwards?: (field: Field) => unknown;
}
