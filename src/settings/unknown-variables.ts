import { showable } from "../model/showable.js";
import { settingEntries } from "./definitions.js";
import type { Environment } from "./setting-sources.js";

const ours = /^(?:TELE_SESSION_|TELE_SESSIONS_REDIS|ODOO_SESSION_REDIS)/;

/** What Kubernetes sets in every container for a Service called tele-session-redis or the like. */
const ofKubernetes =
  /^(TELE|ODOO)_SESSION_REDIS_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** A sentence for each variable that is set, looks like one of ours, and is not a setting. */
export function warnOfUnknownVariables(environment: Environment): readonly string[] {
  const known = new Set(settingEntries.flatMap(([, { variable, odooVariable }]) => [variable, odooVariable]));
  return Object.keys(environment)
    .filter((name) => environment[name] && ours.test(name) && !known.has(name) && !ofKubernetes.test(name))
    .sort()
    .map((name) => `${showable(name)} is set, but it is not a setting. Did you mean ${nearestVariable(name)}?`);
}

/** What was probably meant: the same setting's name in this family, or the most similar name. */
function nearestVariable(name: string): string {
  const isOdoos = name.startsWith("ODOO");
  const candidates = settingEntries.flatMap(([, { variable, odooVariable }]) => {
    const [own, other] = isOdoos ? [odooVariable, variable] : [variable, odooVariable];
    if (own === undefined || !ours.test(own)) return [];
    return [{ own, isTwin: suffixOf(other) === suffixOf(name), distance: editDistance(name, own) }];
  });
  const [nearest] = candidates.sort((a, b) => a.distance - b.distance);
  return (candidates.find(({ isTwin }) => isTwin) ?? nearest)?.own ?? "";
}

/** The part of a name that both families share. */
function suffixOf(name = ""): string {
  return name.replace(/^(?:TELE|ODOO)_/, "");
}

/** Letters to insert, delete or replace to get from one text to another (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
