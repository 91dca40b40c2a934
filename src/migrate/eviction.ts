import type { Warn } from "../model/warn.js";
import type { ResilientConnection } from "../redis/resilient-connection.js";
import { askServerState, type ServerState } from "../redis/server/server-state.js";

/** Looks whether Redis evicts keys while a run goes on. */
interface EvictionWatch {
  readonly begin: () => Promise<void>;
  /** Whether keys were evicted since the watch began, or may have been. Throws `RedisForgotError` if Redis may have lost more than that. */
  readonly end: () => Promise<boolean>;
  /** Whether Redis hides what would show evictions, so that written keys must be looked for. */
  readonly isBlind: () => boolean;
}

/** Warns, also a quiet person, of what Redis does not tell. */
export function watchEvictions(connection: ResilientConnection, warn: Warn): EvictionWatch {
  let before: number | undefined;
  let blind = false;
  const ask = async () => {
    const state = await connection.run(askServerState);
    const hidden = hiddenFrom(state);
    if (hidden !== undefined) {
      blind = true;
      warn(
        `Redis does not tell ${hidden}, so sessions may be evicted unseen. A copy looks once more at its end for each session that it wrote; allow INFO and CONFIG GET to be sure`,
        { evenIfQuiet: true },
      );
    }
    return state.evictedKeys;
  };
  return {
    isBlind: () => blind,
    begin: async () => {
      before = await ask();
    },
    end: async () => {
      const now = await ask();
      if (now === undefined || before === undefined || now === before) return false;
      const what =
        now > before
          ? `has evicted ${now - before} keys meanwhile, of whatever kind`
          : "was told meanwhile to forget how many keys it evicted";
      warn(`Redis ${what}: sessions may be missing, and nothing more is removed`, { evenIfQuiet: true });
      return true;
    },
  };
}

/** Names what a server does not tell; `undefined` if it tells all. */
function hiddenFrom({ maxMemory, usedMemory, evictionPolicy, evictedKeys }: ServerState): string | undefined {
  const facts: readonly (readonly [name: string, isHidden: boolean])[] = [
    ["its memory limit", maxMemory === undefined],
    ["how much memory it uses", usedMemory === undefined],
    ["its eviction policy", evictionPolicy === undefined],
    ["how many keys it evicted", evictedKeys === undefined],
  ];
  const hidden = facts.flatMap(([name, isHidden]) => (isHidden ? [name] : []));
  const last = hidden.pop();
  if (last === undefined) return undefined;
  return hidden.length === 0 ? last : `${hidden.join(", ")} and ${last}`;
}
