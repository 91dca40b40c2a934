import { describeAddress, type RedisTarget, type ServerAddress } from "../../model/redis-target.js";
import { findMaster } from "./find-master.js";

/** The Sentinels need seconds to notice that a master is gone. */
const askEveryMs = 1000;

/**
 * Notices that the Sentinels chose another master, although the present one still answers: it may
 * be cut off from them, and then loses what it takes.
 */
export class MasterCheck {
  readonly #target: RedisTarget;
  #askedMs = 0;

  constructor(target: RedisTarget) {
    this.#target = target;
  }

  /**
   * Asks the Sentinels, at most once a second; asks nobody about a server without Sentinels. Throws
   * `NoMasterError`, or a transient error (`EFAILOVER`) if they name another server.
   */
  async check(address: ServerAddress): Promise<void> {
    const { address: master } = this.#target;
    if (!("sentinels" in master) || Date.now() - this.#askedMs < askEveryMs) return;
    const found = await findMaster(master);
    if (describeAddress(found.address) !== describeAddress(address)) {
      throw Object.assign(new Error("another master"), { code: "EFAILOVER" });
    }
    this.#askedMs = Date.now();
  }
}
