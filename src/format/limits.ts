/** Levels that containers may be nested. No Python up to 3.11 pickles more than 497 nested lists, nor reads back much more. */
export const deepestLevel = 500;

/** Lists, tuples, dicts, sets and other made values of one session: each may take hundreds of bytes for one of the file. */
export const mostContainers = 1_000_000;
