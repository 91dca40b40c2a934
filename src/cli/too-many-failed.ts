import type { RunRecord } from "../migrate/run-record.js";
import type { Allowance } from "./settings.js";

/** Whether more sessions failed, in any pass, than is allowed; a share is one of the sessions found. */
export function tooManyFailed({ ledger, laterPasses }: RunRecord, allowance: Allowance): boolean {
  const allowed = "count" in allowance ? allowance.count : (allowance.percent / 100) * ledger.counts.found;
  return [ledger, ...laterPasses].some(({ counts }) => counts.outcomes.failed > allowed);
}
