import { provideProgram } from "./provide-program.js";

/** The path of tmux: a terminal whose screen a test can look at. Newly installed if need be. */
export async function provideTmux(): Promise<string> {
  const provided = await provideProgram({ title: "tmux", names: ["tmux"], package: "tmux" });
  if (provided.kind !== "program") throw new Error("tmux does not come in a container.");
  return provided.path;
}
