import { type Program, provideProgram } from "./provide-program.js";

/** Debian's build of Chromium without a window needs half as much as the whole browser. */
export const browser: Program = {
  title: "Chromium",
  names: ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"],
  package: "chromium-headless-shell",
};

/** The path of a Chromium for the tests. Throws an Error of one sentence if there is none. */
export async function provideBrowser(): Promise<string> {
  const provided = await provideProgram(browser);
  // It has no image, so it is never a container.
  if (provided.kind !== "program") throw new Error("Chromium does not run in a container here.");
  return provided.path;
}
