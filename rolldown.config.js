import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "rolldown";

/** @type {{ version: string }} */
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/**
 * One file for the program and one for a reader's thread: finding and reading some 300 small files
 * would take most of the time to start. Modules that are imported on demand run on demand here too.
 * Nothing is minified: a stack names functions as the source does.
 * @param {string} name
 * @param {string} input
 */
function bundle(name, input) {
  return defineConfig({
    input: { [name]: input },
    platform: "node",
    transform: { define: { packageVersion: JSON.stringify(version) } },
    plugins: [{ name: "ascii", generateBundle: toAscii }],
    output: {
      dir: "dist",
      entryFileNames: "cli/[name].js",
      // `bin/load.js` can hand V8 the code that it compiled earlier, but not for ES modules.
      format: "cjs",
      strict: true,
      codeSplitting: false,
      comments: { legal: true, annotation: false, jsdoc: false },
    },
  });
}

const program = bundle("main", "src/cli/main.ts");

// biome-ignore lint/style/noDefaultExport: rolldown loads a configuration by its default export
export default [
  {
    ...program,
    plugins: [program.plugins, { name: "assets", generateBundle: emitAssets }],
    output: { ...program.output, cleanDir: true },
  },
  bundle("serve-reader", "src/migrate/readers/serve-reader.ts"),
];

/**
 * Escapes what is not ASCII: `bin/load.js` reads one byte a character, in a tenth of the time.
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function toAscii(_options, bundle) {
  for (const file of Object.values(bundle)) {
    if (file.type === "chunk") {
      file.code = file.code.replace(
        /[^\0-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  }
}

/**
 * Adds the licences of all bundled packages, as these ask for, and says what kind of files these are.
 * @this {import("rolldown").PluginContext}
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function emitAssets(_options, bundle) {
  const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map(licenceOf);
  const source = texts.join(`\n${"-".repeat(80)}\n\n`);
  this.emitFile({ type: "asset", fileName: "third-party-licenses.txt", source });
  this.emitFile({ type: "asset", fileName: "package.json", source: '{ "type": "commonjs" }\n' });
}

/** @param {string} folder */
function licenceOf(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(?:\.|$)/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  /** @type {{ name: string, version: string }} */
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
