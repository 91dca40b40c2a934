import type { SessionFile } from "../model/session-file.js";

/** Where a session file may be moved to on its first use: Odoo 16 renames a flat one to its scattered place [odoo/http.py 16.0]. */
export function scatteredPlaceOf({ directory, layout, sid }: SessionFile): string | undefined {
  return layout === "flat" ? `${directory}/${sid.slice(0, 2)}/${sid}` : undefined;
}
