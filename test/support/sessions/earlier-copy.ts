/**
 * What became of a session between an earlier copy and the run under test. `kept`: nothing.
 * `deleted`: somebody deleted its key by hand. `saved`: the server saved it in Redis, for three
 * hours. `ended in files` and `ended in Redis`: its user logged out there.
 */
export type Fate = "kept" | "deleted" | "saved" | "ended in files" | "ended in Redis";

/** What happened after an earlier copy. */
export interface Aftermath {
  readonly serverWorks: "files" | "redis";
  /** By the place among the sessions. */
  readonly fateOf: (index: number) => Fate;
}

export const aftermaths: readonly Aftermath[] = [
  {
    serverWorks: "files",
    fateOf: (index) => (index % 50 === 1 ? "ended in files" : index % 10 === 2 ? "deleted" : "kept"),
  },
  {
    serverWorks: "redis",
    fateOf: (index) => (index % 5 === 1 ? "saved" : index % 25 === 2 ? "ended in Redis" : "kept"),
  },
];

export const threeHoursSeconds = 3 * 3600;
/** What the server saved: newer than any file. */
export const savedValue = '{"db": "prod", "uid": 2, "context": {"lang": "de_DE"}, "saved": "later, in Redis"}';
