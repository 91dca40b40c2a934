import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedFiles, generatedParts, replacePart } from "./support/documents/generated-parts.js";
import { projectRoot } from "./support/project.js";

// Writes the generated parts of the documents anew.
for (const { file, name, make } of generatedParts) {
  const path = join(projectRoot, file);
  writeFileSync(path, replacePart(readFileSync(path, "utf8"), name, make()));
}
for (const { file, make } of generatedFiles) writeFileSync(join(projectRoot, file), make());
