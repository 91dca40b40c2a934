/** What a report says, but for what differs between two runs of the same. */
export function comparable(report: object): object {
  return { ...report, seconds: 0, sessionsPerSecond: 0, peakMemoryBytes: 0 };
}
