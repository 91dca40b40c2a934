/** The system's name of an error, such as `EACCES`. Rethrows what is no system error. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}
