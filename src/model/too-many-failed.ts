import type { Allowance } from "./run-options.js";
import type { RunRecord } from "./run-record.js";

/** Whether more sessions failed, in any pass, than is allowed; a share is one of the sessions found. */
export function tooManyFailed({ ledger, laterPasses }: RunRecord, allowance: Allowance): boolean {
  const { found } = ledger.counts;
  return [ledger, ...laterPasses].some(({ counts: { outcomes } }) =>
    "count" in allowance
      ? outcomes.failed > allowance.count
      : 100 * outcomes.failed > allowance.percent * found,
  );
}
