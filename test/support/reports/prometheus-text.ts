/** A number of a metric, as a scraper reads it. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads the Prometheus text format as strictly as node_exporter's textfile collector and promtool
 * do: each metric once, HELP and TYPE before its numbers, no number twice, no timestamps, a newline
 * at the end. Throws an Error naming the line.
 */
export function parsePrometheusText(text: string): readonly ScrapedSample[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no newline");
  const samples: ScrapedSample[] = [];
  const seen = new Set<string>();
  const closed = new Set<string>();
  let help: string | undefined;
  let current: string | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line.startsWith("#")) {
      const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_][a-zA-Z0-9_]*) (.+)$/s.exec(line) ?? [];
      if (kind === "HELP") {
        if (current !== undefined) closed.add(current);
        if (closed.has(name)) fail("the metric comes twice");
        if (/\\/.test(rest.replace(/\\[\\n]/g, ""))) fail("a lone backslash in HELP");
        [help, current] = [name, undefined];
      } else if (kind === "TYPE") {
        if (help !== name) fail("TYPE does not follow its HELP");
        if (!["gauge", "counter"].includes(rest)) fail("an unknown type");
        if (rest === "counter" && !name.endsWith("_total")) fail("a counter without _total");
        current = name;
      } else fail("neither HELP nor TYPE");
      continue;
    }
    const sample = sampleOf(line) ?? fail("no sample");
    if (sample.name !== current) fail("the number does not follow the TYPE of its metric");
    const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(identity)) fail("the number comes twice");
    seen.add(identity);
    samples.push(sample);
  }
  return samples;
}

function sampleOf(line: string): ScrapedSample | undefined {
  const [, name, inBraces, number = ""] =
    /^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)$/s.exec(line) ?? [];
  if (name === undefined) return undefined;
  const labels: Record<string, string> = {};
  let rest = inBraces ?? "";
  while (rest !== "") {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(,|$)/s.exec(rest);
    const [whole, label, value] = pair ?? [];
    if (whole === undefined || label === undefined || value === undefined || label in labels) return undefined;
    if (label.startsWith("__")) return undefined;
    labels[label] = value.replace(/\\(.)/gs, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
    rest = rest.slice(whole.length);
    if (pair?.[3] === "," && rest === "") return undefined;
  }
  return { name, labels, value: Number(number.replace("Inf", "Infinity")) };
}
