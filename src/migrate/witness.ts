import { RedisForgotError } from "../model/errors.js";
import { othersArePresent, withdraw } from "../redis/server/presence.js";
import { joinWitness, removeWitness, witnessStands } from "../redis/witness.js";
import type { OpenRun } from "./open-run.js";

/** What shows whether Redis kept what it held when the run began. Only a run that writes or removes has one, and all share it. */
export interface Witness {
  /** Its value while the run relies on it; `undefined` where it could not be written. */
  readonly value: () => string | undefined;
  /** Sees to it that it stands in Redis. Throws where the run must end. */
  readonly begin: () => Promise<void>;
  /** Throws `RedisForgotError` where it is gone. Throws where the run must end. */
  readonly confirm: () => Promise<void>;
  /** Takes it away again where Redis answers, and no other run is seen that may rely on it. */
  readonly end: () => Promise<void>;
}

/** Where it may not be written that is said, and the run goes on without marks. */
export function witnessOf(
  { connection, presence }: Pick<OpenRun, "connection" | "presence">,
  warn: (message: string) => void,
): Witness {
  let value: string | undefined;
  return {
    value: () => value,
    begin: async () => {
      value = await connection.run(joinWitness);
      if (value === undefined) {
        warn(
          "keys of our own (tele-sessions:*) could not be written: a Redis that is emptied meanwhile is not noticed, what is missing is not taken for ended, and nothing is left for later runs",
        );
      }
    },
    confirm: async () => {
      const known = value;
      if (known !== undefined && !(await connection.run((client) => witnessStands(client, known)))) {
        throw new RedisForgotError();
      }
    },
    end: async () => {
      const known = value;
      // Where this run may not be seen, others may not either.
      if (known === undefined || !connection.announced) return;
      await connection.attempt(async (client) => {
        // Of two runs that end at once the last to look sees nobody.
        await withdraw(client, presence);
        if ((await othersArePresent(client, presence)) === false) await removeWitness(client, known);
      });
    },
  };
}
