import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "rolldown";

/**
 * Each gets a chunk of its own, together with the packages that it needs itself. What two of them
 * need goes to the first.
 */
const packages = ["commander", "fast-glob", "ioredis", "wrap-ansi", "ora", "zod"];

// Finding and reading some 300 small files would take most of the time to start, so `dist` holds
// few large ones. A module that is imported on demand stays a chunk that is loaded on demand.
// Nothing is minified: a stack names functions as the source does.
// biome-ignore lint/style/noDefaultExport: rolldown loads a configuration by its default export
export default defineConfig({
  // What is started by its path.
  input: { "cli/main": "src/cli/main.ts", "cli/serve-reader": "src/migrate/readers/serve-reader.ts" },
  platform: "node",
  // What an entry shares with a chunk need not become a third file.
  preserveEntrySignatures: "allow-extension",
  plugins: [{ name: "licences", generateBundle: emitLicences }],
  output: {
    dir: "dist",
    cleanDir: true,
    entryFileNames: "[name].js",
    chunkFileNames: "cli/[name].js",
    codeSplitting: {
      groups: packages.map((name) => ({ name, test: new RegExp(`/node_modules/${name}/`) })),
    },
  },
});

/**
 * Adds the licences of all bundled packages, as these ask for.
 * @this {import("rolldown").PluginContext}
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function emitLicences(_options, bundle) {
  const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map(licenceOf);
  const source = texts.join(`\n${"-".repeat(80)}\n\n`);
  this.emitFile({ type: "asset", fileName: "third-party-licenses.txt", source });
}

/** @param {string} folder */
function licenceOf(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(?:\.|$)/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  /** @type {{ name: string, version: string }} */
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
