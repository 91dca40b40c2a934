/** A setting is wrong or missing; nothing was touched. The message names its origin and never holds a secret. Exit 2. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** The session directory could not be used, or not any more. Exit 3. */
export class SourceError extends Error {
  override readonly name = "SourceError";
}

/** Redis could not be used (`unavailable`, exit 3) or refused us (`refused`, exit 5). The message never holds a command's arguments. */
export class RedisError extends Error {
  override readonly name = "RedisError";
  readonly kind: "unavailable" | "refused";

  constructor(kind: "unavailable" | "refused", message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Redis was restarted, emptied or taken over by another one's data, or may have been: what it confirmed before counts for nothing, and the main pass begins again. */
export class RedisForgotError extends Error {
  override readonly name = "RedisForgotError";

  constructor(message = "Redis was restarted, emptied or replaced, and may have lost what it confirmed") {
    super(message);
  }
}

/** A report could not be written. Before the run it is a `SettingsError`; during it, exit 3. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}
