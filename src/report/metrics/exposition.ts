/** What a name of a metric or a label is made of, without the colons that only recording rules use. */
export type Labels = Readonly<Record<string, string>>;

/** One number of a metric. */
export interface MetricSample {
  /** What sets it apart from the metric's other numbers. */
  readonly labels?: Labels;
  /** Null if it is not known: then it is left out. */
  readonly value: number | null;
}

/** A gauge with its numbers. */
export interface Metric {
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/**
 * Gauges in the Prometheus text format (version 0.0.4), with these labels on every number. Metrics
 * without a number are left out.
 */
export function expositionText(metrics: readonly Metric[], common: Labels): string {
  return metrics.map((metric) => metricText(metric, common)).join("");
}

function metricText({ name, help, samples }: Metric, common: Labels): string {
  const lines = samples.flatMap(({ labels = {}, value }) =>
    value === null ? [] : [`${name}${labelsText({ ...common, ...labels })} ${numberText(value)}\n`],
  );
  if (lines.length === 0) return "";
  const escaped = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `# HELP ${name} ${escaped}\n# TYPE ${name} gauge\n${lines.join("")}`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** As Go reads it. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
