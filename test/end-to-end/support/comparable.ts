/** What a report says, but for what differs between two runs of the same. */
export function comparable(report: object): object {
  const differences = [...(Reflect.get(report, "differences") ?? [])].map((one) => JSON.stringify(one)).sort();
  const { startedAt: _, endedAt: __, throughput: ___, ...same } = Object(report);
  return {
    ...same,
    differences: differences.length,
    phases: same.phases.map(({ name }: { readonly name: string }) => name),
    redis: { ...same.redis, memoryBefore: 0, memoryAfter: 0 },
    settings: same.settings.filter(({ name }: { readonly name: string }) => name !== "--lanes"),
    seconds: 0,
    sessionsPerSecond: 0,
    peakMemoryBytes: 0,
  };
}
