import { python } from "../project.js";
import { type Machine, type Program, provideProgram } from "./provide-program.js";

/** The programs that tests run beside Redis. `run.ts` provides all of them before any test starts. */
const tools = {
  bash: { title: "bash", names: ["bash"], package: "bash" },
  /** Debian's build of Chromium without a window needs half as much as the whole browser. */
  browser: {
    title: "Chromium",
    names: ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"],
    package: "chromium-headless-shell",
  },
  compiler: { title: "A C compiler", names: ["cc", "gcc", "clang"], package: "gcc libc6-dev" },
  fish: { title: "fish", names: ["fish"], package: "fish" },
  groff: { title: "groff", names: ["groff"], package: "groff-base" },
  /** Judges bytes. */
  python: { title: "Python 3", names: [python], package: "python3" },
  /** A terminal whose screen a test can look at. */
  tmux: { title: "tmux", names: ["tmux"], package: "tmux" },
  zsh: { title: "zsh", names: ["zsh"], package: "zsh" },
} satisfies Readonly<Record<string, Program>>;

export type ToolName = keyof typeof tools;

export const toolNames = Object.keys(tools) as readonly ToolName[];

/** The tool's path: from the PATH, else newly installed. Throws an Error of one sentence. */
export async function provideTool(name: ToolName, machine?: Machine): Promise<string> {
  const tool: Program = tools[name];
  const provided = await provideProgram(tool, machine);
  if (provided.kind !== "program") throw new Error(`${tool.title} does not come in a container.`);
  return provided.path;
}
