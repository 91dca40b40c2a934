/** Warns people and the report. `--quiet` hides the warning from people unless `evenIfQuiet`. */
export type Warn = (text: string, options?: { readonly evenIfQuiet?: boolean }) => void;
