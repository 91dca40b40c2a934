import { entryMemory } from "../../../src/migrate/memory-need.js";
import type { StoreOptions } from "../../../src/redis/redis-session-store.js";
import { MemoryGuard } from "../../../src/redis/server/memory-guard.js";

/** How a store of a test names and dates its keys. */
export function storeOptions(options: Partial<StoreOptions> = {}): StoreOptions {
  return { keyPrefix: "session:", clockLeadMs: 0, guard: new MemoryGuard(), entryMemory, ...options };
}
