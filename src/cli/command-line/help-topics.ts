import { outcomeKinds, outcomesOf } from "../../model/outcome.js";
import { type Advice, failureAdvice, outcomeAdvice } from "../../model/outcome-advice.js";
import { exitCodes } from "../../report/exit-code.js";
import { settingEntries } from "../../settings/definitions.js";
import { itemList, paragraph } from "./item-list.js";

export const helpTopics = ["environment", "exit-codes", "outcomes"] as const;
export type HelpTopic = (typeof helpTopics)[number];

/** What `help <topic>` shows. */
export function topicText(topic: HelpTopic, columns: number): string {
  const sections = {
    environment: environmentSections,
    "exit-codes": exitCodeSections,
    outcomes: outcomeSections,
  }[topic](columns);
  return `${sections.join("\n\n")}\n`;
}

function environmentSections(columns: number): string[] {
  const groups = new Map<string, [term: string, meaning: string][]>();
  for (const [, { variable, flag, help, group }] of settingEntries) {
    if (variable === undefined) continue;
    const items = groups.get(group) ?? [];
    items.push([variable, flag === undefined ? help : `${flag}: ${help}`]);
    groups.set(group, items);
  }
  return [
    paragraph(
      "A flag overrides its variable, which overrides tele.conf, which overrides the default. An empty variable " +
        "counts as unset.",
      columns,
    ),
    ...[...groups].map(([group, items]) => `${group}\n${itemList(items, columns)}`),
    itemList([["COLUMNS", "how many columns wide to write; 80 without a terminal"]], columns),
    paragraph(
      "ODOO_SESSION_REDIS_*, ODOO_RC and OPENERP_SERVER count where Tele's variables are unset. docs/settings.md " +
        "has every setting.",
      columns,
    ),
  ];
}

function exitCodeSections(columns: number): string[] {
  const sorted = exitCodes.toSorted((one, other) => one.code - other.code);
  const items = sorted.map(({ code, meaning, todo }) => adviceItem(String(code), { means: meaning, todo }));
  return [
    "Exit codes",
    itemList(items, columns),
    paragraph(
      `If several apply, the first of ${exitCodes.map(({ code }) => code).join(", ")} counts. The last line of every ` +
        "run says why, even with --quiet. docs/exit-codes.md has a section for each.",
      columns,
    ),
  ];
}

function outcomeSections(columns: number): string[] {
  const outcomes = outcomeKinds.map((kind) => {
    const { means, todo } = outcomeAdvice[kind];
    const commands = Object.entries(outcomesOf).filter(([, kinds]) => kinds.some((one) => one === kind));
    return adviceItem(kind, { means: `(${commands.map(([name]) => name).join(", ")}) ${means}`, todo });
  });
  const reasons = Object.entries(failureAdvice).map(([reason, advice]) => adviceItem(reason, advice));
  return [
    `What can become of a session file\n${itemList(outcomes, columns)}`,
    `Why a session failed\n${itemList(reasons, columns)}`,
    paragraph("docs/outcomes.md has a section for each of them.", columns),
  ];
}

function adviceItem(term: string, { means, todo }: Advice): readonly [term: string, meaning: string] {
  return [term, todo === null ? means : `${means}. What to do: ${todo}`];
}
