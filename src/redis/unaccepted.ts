import type { Entry } from "../model/entry.js";

/** Why an entry failed that Redis does not take, however often it is sent. */
export function unaccepted({ value }: Entry): string {
  return `Redis does not accept this entry of ${value.length} bytes: see proto-max-bulk-len and client-query-buffer-limit, or the limits of a proxy in between`;
}
