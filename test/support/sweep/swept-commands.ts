import type { Aftermath } from "../sessions/earlier-copy.js";

/** A command that faults are swept over. */
export interface SweptCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** The Redis command that each of its phases asks for every session. */
  readonly phases: readonly ("SET" | "GET")[];
  /** Whether Redis must hold every session before. */
  readonly isFilledBefore: boolean;
  /** An earlier copy left a mark, and where the server has worked since. */
  readonly afterCopy?: Aftermath["serverWorks"];
  /** Whether it removes files, and needs a directory of its own. */
  readonly removes: boolean;
}

export const sweptCommands: readonly SweptCommand[] = [
  { name: "copy", args: ["copy"], phases: ["SET"], isFilledBefore: false, removes: false },
  {
    name: "copy --purge",
    args: ["copy", "--purge"],
    phases: ["SET", "GET"],
    isFilledBefore: false,
    removes: true,
  },
  { name: "purge", args: ["purge"], phases: ["GET"], isFilledBefore: true, removes: true },
  { name: "verify", args: ["verify"], phases: ["GET"], isFilledBefore: true, removes: false },
  {
    name: "copy again, on files",
    args: ["copy"],
    phases: ["GET"],
    isFilledBefore: true,
    removes: false,
    afterCopy: "files",
  },
  {
    name: "copy again, on Redis",
    args: ["copy"],
    phases: ["GET"],
    isFilledBefore: true,
    removes: false,
    afterCopy: "redis",
  },
  {
    name: "purge, on Redis",
    args: ["purge"],
    phases: ["GET"],
    isFilledBefore: true,
    removes: true,
    afterCopy: "redis",
  },
];
