import { execFileSync } from "node:child_process";
import { provideTool } from "../programs/provide-tools.js";

/**
 * Runs a line of Python for every item, in one process: `item` is the item, what the expression
 * comes to is its answer, and an exception is `null`. Items and answers travel as JSON.
 */
export async function askPython<Answer>(
  expression: string,
  items: readonly unknown[],
  preamble = "",
): Promise<(Answer | null)[]> {
  const script = [
    "import json, sys, warnings",
    "warnings.simplefilter('ignore')",
    preamble,
    "def answer(item):",
    "    try:",
    `        return ${expression}`,
    "    except (ValueError, OverflowError, UnicodeError):",
    "        return None",
    "json.dump([answer(item) for item in json.load(sys.stdin)], sys.stdout)",
  ].join("\n");
  const output = execFileSync(await provideTool("python"), ["-B", "-c", script], {
    input: JSON.stringify(items),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const answers: (Answer | null)[] = JSON.parse(output);
  return answers;
}
