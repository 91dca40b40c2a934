import { python } from "./project.js";
import { type Machine, provideProgram } from "./provide-program.js";

/**
 * The path of the Python that judges bytes: from the PATH, else newly installed. Throws an Error of
 * one sentence.
 */
export async function providePython(machine?: Machine): Promise<string> {
  const provided = await provideProgram({ title: "Python 3", names: [python], package: "python3" }, machine);
  if (provided.kind !== "program") throw new Error("Python does not come in a container.");
  return provided.path;
}
