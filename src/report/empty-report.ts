import { outcomesOf } from "../model/outcome.js";
import { newRunRecord, secondsOf } from "../model/run-record.js";
import { buildReport, type RunReport } from "./build-report.js";

/** The report of a run that touched nothing. */
export function emptyReport(
  command: string,
  version: string,
  warnings: readonly string[],
  exitCode: number,
): RunReport {
  const kinds = command === "purge" || command === "verify" ? outcomesOf[command] : outcomesOf.copy;
  const none = () => undefined;
  const record = newRunRecord(kinds, { onFailure: none, onDifference: none });
  const facts = { ...record, version, command, dryRun: false, showIds: false, prefix: null, warnings };
  return buildReport({ ...facts, seconds: secondsOf(record) }, record.ledger, record.tally, exitCode);
}
