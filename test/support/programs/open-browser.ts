import { type Browser, chromium } from "playwright-core";
import { provideTool } from "./provide-tools.js";

/** Starts a Chromium. It has no sandbox, because the tests run as root. */
export async function openBrowser(): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({
    executablePath: await provideTool("browser"),
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", ...quiet],
  });
}
