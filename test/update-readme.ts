import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./support/project.js";
import { readmeWithParts } from "./support/readme-parts.js";

// Writes the generated parts of README.md anew.
const path = join(projectRoot, "README.md");
writeFileSync(path, readmeWithParts(readFileSync(path, "utf8")));
