import { bytesText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { type Fact, factList } from "./figure.js";
import { html, type Markup } from "./markup.js";

/** What exactly was run? */
export function settingsSection(report: Report): Markup {
  const { settings, version, redis, target, bytes, peakMemoryBytes, schemaVersion } = report;
  const facts: readonly Fact[] = [
    ["tele-sessions", version],
    ["Redis", redis?.version ?? "unknown"],
    ["Key layout", `${target.keyLayout ?? "unknown"} (${target.keyLayoutEvidence ?? "no evidence"})`],
    ["Server works on", target.serverWorks],
    ["Read, written", `${bytesText(bytes.read)}, ${bytesText(bytes.written)}`],
    ["Memory at its peak", bytesText(peakMemoryBytes)],
    ["Schema of the report", String(schemaVersion)],
  ];
  return html`${factList(facts)}
${
  settings.length === 0
    ? html`<p>The report does not say which settings were used.</p>`
    : html`<table class="files"><caption class="hidden">Settings</caption>
<thead><tr><th scope="col">setting</th><th scope="col">value</th><th scope="col">given by</th></tr></thead>
<tbody>${settings.map(
        ({ name, value, origin }) => html`<tr><th scope="row">${name}</th><td>${value}</td><td>${origin}</td></tr>
`,
      )}</tbody></table>`
}`;
}
