/** The system's code for an error, such as `EACCES`. Rethrows an error that has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}
