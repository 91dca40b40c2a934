import { type KeyLayout, keyPrefix } from "../../convert/session-key.js";
import type { Explanation } from "../../model/errors.js";
import type { RunOptions } from "../../model/run-options.js";
import type { KeyLayoutEvidence } from "../../model/server-evidence.js";
import type { KeyLayoutsSeen, KeyPrefixes } from "../../redis/key-layouts-seen.js";

/** Which layout the keys take, and why; or why the run is refused. */
export type KeyLayoutChoice =
  | {
      readonly layout: KeyLayout;
      readonly evidence: Exclude<KeyLayoutEvidence, "both">;
      /** What a person must know about it, even a quiet one; absent where nothing is in doubt. */
      readonly warning?: Explanation;
    }
  | { readonly evidence: "both" | "none"; readonly refusal: Explanation };

const choose = "--key-layout documented or --key-layout applet";

/**
 * The key layout of a run. With a prefix and `auto`, keys that a server saved decide it. If there
 * are some under both layouts, the operator has to choose, because the wrong one logs everybody
 * out.
 */
export async function chooseKeyLayout(
  { prefix, keyLayout }: Pick<RunOptions["target"], "prefix" | "keyLayout">,
  look: (prefixes: KeyPrefixes) => Promise<KeyLayoutsSeen | undefined>,
): Promise<KeyLayoutChoice> {
  if (keyLayout !== "auto") return { layout: keyLayout, evidence: "named" };
  if (prefix === null) return { layout: "documented", evidence: "none" };
  const prefixes = { documented: keyPrefix("documented", prefix), applet: keyPrefix("applet", prefix) };
  const seen = await look(prefixes);
  if (seen === undefined) {
    return {
      evidence: "none",
      refusal: {
        found:
          "Redis does not allow this user the command SCAN, which finds out whether the server reads " +
          `${prefixes.documented}<sid> or ${prefixes.applet}<sid>`,
        remedy: `Allow it, or choose with ${choose}`,
      },
    };
  }
  if (seen.documented && seen.applet) {
    return {
      evidence: "both",
      refusal: {
        found: `servers save sessions under both ${prefixes.documented} and ${prefixes.applet} in this Redis`,
        remedy: `Name the one that your server reads with ${choose}`,
      },
    };
  }
  if (seen.documented) return { layout: "documented", evidence: "found" };
  if (seen.applet) return { layout: "applet", evidence: "found" };
  return {
    layout: "documented",
    evidence: "none",
    warning: {
      found:
        `${seen.cutShort ? "a search of ten seconds found" : "Redis holds"} no key with this prefix that a ` +
        `server saved, so keys are written as ${prefixes.documented}<sid>, as the applet documents them`,
      remedy:
        `The applet's published code reads ${prefixes.applet}<sid>, and under the wrong key everybody is ` +
        `logged out: choose with ${choose}`,
    },
  };
}
