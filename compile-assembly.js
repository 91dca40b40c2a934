import { readdirSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("assembly/", import.meta.url));
const target = fileURLToPath(new URL("src/format/fast/plain-module.ts", import.meta.url));

/** Whether the module is newer than everything that it is made from. */
function isUpToDate() {
  const made = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(folder).map((name) => folder + name);
  return [...sources, fileURLToPath(import.meta.url)].every((path) => statSync(path).mtimeMs < made);
}

/** Compiles `assembly/` to WebAssembly. */
async function compileAssembly() {
  // Loading it takes longer than finding out that nothing changed.
  const { default: asc } = await import("assemblyscript/asc");
  const args = ["--config", `${folder}asconfig.json`, "--outFile", "plain.wasm"];
  /** @type {Uint8Array | string} */
  let compiled = "";
  const { error, stderr } = await asc.main(args, {
    writeFile: (_name, contents) => {
      compiled = contents;
    },
  });
  if (error !== null) throw new Error(`assembly/ does not compile:\n${stderr}`);
  return Buffer.from(compiled);
}

/** As text in a module, so that it is part of the bundles. @param {Buffer} bytes */
function moduleOf(bytes) {
  const lines = bytes.toString("base64").replace(/.{1,100}/g, '  "$&",\n');
  return `// Made by compile-assembly.js.\nexport const plainModule = [\n${lines}].join("");\n`;
}

if (!isUpToDate()) writeFileSync(target, moduleOf(await compileAssembly()));
