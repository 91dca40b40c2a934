import { countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { columnsHeight, drawColumns } from "./columns.js";
import { figure } from "./figure.js";
import { html, type Markup } from "./markup.js";

/** Hours that are named below the chart: there is no room for all. */
const namedHours: ReadonlySet<number | null> = new Set([1, 6, 24, 72, 120, 168, 720]);
const title = "Sessions by the time since their file was last saved";

/** Whom would remaining lifetimes have hit? */
export function usersSection({ ages }: Report): Markup | undefined {
  const total = ages.reduce((sum, { authenticated, anonymous }) => sum + authenticated + anonymous, 0);
  if (total === 0) return undefined;
  const names = ages.map(({ underHours }, index) => {
    const from = ages[index - 1]?.underHours ?? 0;
    if (underHours === null) return `${hoursText(from)} or longer`;
    return from === 0 ? `under ${hoursText(underHours)}` : `${hoursText(from)} to ${hoursText(underHours)}`;
  });
  const story = remainingStory(ages);
  return html`${figure({
    id: "users-ages",
    title,
    description: story,
    height: columnsHeight,
    drawing: drawColumns({
      colours: ["series-1", "series-2"],
      columns: ages.map(({ authenticated, anonymous }) => ({ 0: authenticated, 1: anonymous })),
      labels: ages.flatMap(({ underHours }, index) =>
        underHours === null || !namedHours.has(underHours)
          ? []
          : [{ at: (index + 1) / ages.length, text: shortHours(underHours) }],
      ),
    }),
    legend: [
      { colour: "series-1", text: "logged in" },
      { colour: "series-2", text: "anonymous" },
    ],
    numbers: {
      columns: ["last saved", "logged in", "anonymous"],
      rows: ages.map(({ authenticated, anonymous }, index) => [names[index] ?? "", authenticated, anonymous]),
    },
  })}
<p>${story}</p>`;
}

/** By the lifetimes that servers give unless they are told otherwise: 7 days, and 3 hours. */
function remainingStory(ages: Report["ages"]): string {
  const since = (user: "authenticated" | "anonymous", hours: number) =>
    ages.reduce((sum, age) => sum + ((age.underHours ?? Number.POSITIVE_INFINITY) > hours ? age[user] : 0), 0);
  return (
    `${countText(since("authenticated", 7 * 24))} logged-in sessions were last saved 7 days ago or earlier, and ` +
    `${countText(since("anonymous", 3))} anonymous ones 3 hours ago or earlier: with --ttl remaining and the ` +
    "usual lifetimes these would be over."
  );
}

function hoursText(hours: number): string {
  if (hours < 24) return hours === 1 ? "1 hour" : `${hours} hours`;
  return hours === 24 ? "1 day" : `${hours / 24} days`;
}

function shortHours(hours: number): string {
  return hours < 24 ? `${hours}h` : `${hours / 24}d`;
}
