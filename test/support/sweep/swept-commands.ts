/** A command that faults are swept over. */
export interface SweptCommand {
  readonly name: string;
  readonly args: readonly string[];
  /** The Redis command that each of its phases asks for every session. */
  readonly phases: readonly ("SET" | "GET")[];
  /** Whether Redis must hold every session before. */
  readonly isFilledBefore: boolean;
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
];
