/** What a report says, but for what differs between two runs of the same. */
export function comparable(report: object): object {
  const differences = [...(Reflect.get(report, "differences") ?? [])]
    .map((one) => JSON.stringify(one))
    .sort();
  return { ...report, differences: differences.length, seconds: 0, sessionsPerSecond: 0, peakMemoryBytes: 0 };
}
