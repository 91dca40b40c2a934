import type { SettingName } from "./definitions.js";
import type { Command } from "./setting-definition.js";

/** The process's environment, or a test's. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The flags of a command line: true for a switch, a list for a repeatable flag, else text. */
export type TypedFlags = { readonly [Name in SettingName]?: string | readonly string[] | true };

/** What settings are read from. */
export interface SettingSources {
  /** A variable counts only for a command that takes its setting. */
  readonly command: Command;
  readonly typed: TypedFlags;
  readonly environment: Environment;
  /** Settings that Odoo's variables give. */
  readonly byOdoo: ReadonlySet<SettingName>;
}
