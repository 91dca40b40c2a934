import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { reportPage } from "../src/report/page/report-page.js";
import type { Report } from "../src/report/schema/report-schema.js";
import { makeTemporaryDirectory } from "./support/process/temporary-directory.js";
import { openBrowser } from "./support/programs/open-browser.js";
import { eventfulReport } from "./support/reports/eventful-report.js";
import { sampleReport } from "./support/reports/sample-report.js";

const isWhole = process.env["TELE_SESSIONS_PAGE"] === "all";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const directory = makeTemporaryDirectory();
const browser = await openBrowser();
after(() => browser.close());

/** CSS pixels of an A4 page within the margins of the style sheet. */
const paper = { width: 718, height: 1047 };

const reports: readonly (readonly [name: string, make: () => Report])[] = [
  [
    "a large report with failures, differences and a Redis that went away",
    () => eventfulReport(isWhole ? 100_000 : 100),
  ],
  ["a copy without a fault", () => sampleReport({ listed: 5, sessions: { found: 5, copied: 5 } })],
  ["a report of an older version", () => sampleReport({ startedAt: null, endedAt: null, host: null })],
];
const looks = ["light", "dark", "print"] as const;
const sizes = [
  ["telephone", { width: 390, height: 844 }],
  ["desktop", { width: 1280, height: 900 }],
] as const;

for (const [name, make] of isWhole ? reports : reports.slice(0, 1)) {
  const path = join(directory, `${name.replaceAll(" ", "-")}.html`);
  writeFileSync(path, reportPage(make(), "copy.json"));
  for (const look of isWhole ? looks : looks.slice(0, 1)) {
    for (const [size, viewport] of isWhole ? sizes : sizes.slice(0, 1)) {
      test(`${name}: ${look}, ${size}`, async () => {
        const context = await browser.newContext({
          viewport,
          colorScheme: look === "dark" ? "dark" : "light",
        });
        const page = await context.newPage();
        const noise: string[] = [];
        page.on("console", (message) => noise.push(message.text()));
        page.on("pageerror", (error) => noise.push(error.message));
        page.on("dialog", (dialog) => noise.push(`a dialog: ${dialog.message()}`));
        page.on("request", (request) => noise.push(request.url()));
        const url = pathToFileURL(path).href;
        if (look === "print") await page.emulateMedia({ media: "print" });
        await page.goto(url);
        await assertFits(page);
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
        await assertFits(page);
        assert.deepEqual(await violationsOf(page), []);
        assert.deepEqual(noise, [url], "the page asks for nothing besides itself, and runs nothing");
        await context.close();
      });
    }
  }
}

test("the first printed page holds verdict, where the sessions are, Redis and failures", async () => {
  const page = await browser.newPage({ viewport: paper });
  await page.emulateMedia({ media: "print" });
  await page.setContent(reportPage(printedReport(), "copy.json"));
  const bottoms = await page.evaluate<number[]>(
    `["verdict", "places", "redis", "findings", "throughput"].map(
      (name) => document.querySelector("section." + name).getBoundingClientRect().bottom)`,
  );
  const [, , , findings = 0, throughput = 0] = bottoms;
  assert.deepEqual(
    bottoms,
    bottoms.toSorted((one, other) => one - other),
    "in this order",
  );
  assert.ok(findings <= paper.height, `the failures end at ${findings}`);
  assert.ok(throughput > findings);
  await page.close();
});

/** A report as most are: a few warnings, more failures than the page shows at first. */
function printedReport(): Report {
  const { failures, differences, byDirectory, ...report } = eventfulReport(200);
  return {
    ...report,
    source: { ...report.source, directories: ["/srv/tele/sessions"] },
    errors: [],
    warnings: ["Redis has no persistence (RDB or AOF). Once the files are removed, a restart logs everyone out."],
    byReason: { corrupt: 150, "unsupported-type": 50 },
    byDirectory: [],
    failures: failures.map((failure, index) => ({
      ...failure,
      file: `/srv/tele/sessions/werkzeug_${index}.sess`,
      detail: "truncated at byte 112",
    })),
    differences: [],
  };
}

/** Nothing reaches beyond the right edge. */
async function assertFits(page: Page): Promise<void> {
  const [wide = 0, room = 0] = await page.evaluate<number[]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assert.ok(wide <= room, `${wide} pixels wide, and there is room for ${room}`);
}

/** What axe-core finds, as `rule: first element`. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => ({ id, html: nodes[0].html, why: nodes[0].failureSummary })))`,
  );
  return found.map(({ id, html, why }) => `${id}: ${html} ${why}`);
}

/** A rule that the page breaks, and the first element that breaks it. */
interface Violation {
  readonly id: string;
  readonly html: string;
  readonly why: string;
}
