import { scaleLinear } from "d3-scale";
import { bytesText, countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { type Fact, factList, figure } from "./figure.js";
import { html, type Markup } from "./markup.js";
import { drawBox, drawUpright } from "./shapes.js";

type Facts = NonNullable<Report["redis"]>;

/** Above this part of the limit, runs stop writing. */
const fullShare = 0.95;

/** Does it fit next week too? */
export function redisSection({ redis, target }: Report): Markup | undefined {
  if (redis === null) return undefined;
  return html`${memoryFigure(redis)}
${factList(factsOf(redis, target.redis))}`;
}

function memoryFigure({ memoryBefore, memoryAfter, memoryLimit }: Facts): Markup {
  const after = memoryAfter ?? memoryBefore;
  if (after === null) return html`<p>Redis does not say how much memory it uses.</p>`;
  const before = Math.min(memoryBefore ?? after, after);
  const limit = memoryLimit === null || memoryLimit === 0 ? null : memoryLimit;
  const end = Math.max(after, limit ?? after);
  const x = scaleLinear([0, end], [0, 1]);
  const added = after - before;
  const bar = { y: 2, height: 32 };
  const story = memoryStory(before, after, memoryLimit);
  return html`${figure({
    id: "redis-memory",
    title: "Memory in use, against the limit",
    description: story,
    height: 36,
    drawing: [
      drawBox("track", { ...bar, x: 0, width: 1 }),
      drawBox("segment neutral", { ...bar, x: 0, width: x(before) }),
      drawBox("segment series-1", { ...bar, x: x(before), width: x(added) }),
      limit === null ? [] : drawUpright("limit", x(fullShare * limit), { y: 0, height: 36 }),
    ],
    legend: [
      { colour: "neutral", text: `${bytesText(before)} before` },
      { colour: "series-1", text: `${bytesText(added)} more after` },
      ...(limit === null ? [] : [{ colour: "track", text: `of ${bytesText(limit)}; the line is at 95%` }]),
    ],
    numbers: {
      columns: ["memory", "bytes"],
      rows: [
        ["before", memoryBefore ?? "unknown"],
        ["after", memoryAfter ?? "unknown"],
        ["limit", memoryLimit === 0 ? "none" : (memoryLimit ?? "unknown")],
      ],
    },
  })}
<p>${story}</p>`;
}

function memoryStory(before: number, after: number, limit: number | null): string {
  const used = `Redis uses ${bytesText(after)}, ${bytesText(after - before)} more than when the run began.`;
  if (limit === null) return `${used} It does not say its limit.`;
  if (limit === 0) return `${used} It has no limit of its own (maxmemory 0).`;
  const free = Math.max(0, fullShare * limit - after);
  const again = after - before <= free ? "As much again would fit" : "As much again would not fit";
  return `${used} ${bytesText(Math.round(free))} are left below 95% of ${bytesText(limit)}. ${again}.`;
}

function factsOf(redis: Facts, address: string | null): readonly Fact[] {
  const { version, role, persistence, evicted, runId } = redis;
  return [
    ["Address", address ?? "unknown"],
    ["Version", version ?? "unknown"],
    ["Role", role ?? "unknown"],
    ["Saves to disk", persistence === null ? "unknown" : persistence ? "yes" : "no: a restart logs everyone out"],
    ["Evicted during the run", evicted === null ? "unknown" : countText(evicted)],
    ["Run id", runId ?? "unknown"],
  ];
}
