import { connectionFaults } from "./connection-faults.js";
import { errorReplyFaults } from "./error-reply-faults.js";
import type { NamedFault } from "./named-fault.js";
import { redisFaults } from "./redis-faults.js";

/** Every fault of the Redis table in hazards.md. */
export const namedFaults: readonly NamedFault[] = [...connectionFaults, ...errorReplyFaults, ...redisFaults];
