import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "dist");

/** What is started by its path, by its name in `dist`. Whatever else is loaded goes beside it, in chunks. */
const entries = {
  "cli/main": join(root, "src/cli/main.ts"),
  "cli/serve-reader": join(root, "src/migrate/readers/serve-reader.ts"),
};

/**
 * Makes `dist` of `src` and of what it imports, for most of the time to start would go into finding and reading some 300 small files, and
 * a third of what they hold is never used. A module that is imported when it is needed stays a file that is read when it is needed.
 * Nothing is minified: a stack names functions as the source does.
 */
async function bundle() {
  const build = await rolldown({
    input: entries,
    platform: "node",
    // What an entry shares with a chunk need not become a third file.
    preserveEntrySignatures: "allow-extension",
  });
  const { output } = await build.write({
    dir: dist,
    cleanDir: true,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: ({ facadeModuleId }) => `cli/${nameOf(facadeModuleId)}.js`,
  });
  await build.close();
  const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  writeFileSync(join(dist, "third-party-licenses.txt"), licensesOf(modules));
}

/**
 * What a chunk is called: a package's by the package, others by the module that is imported.
 * @param {string | null | undefined} module
 */
function nameOf(module) {
  const folder = packageFolderOf(module ?? "");
  return folder === undefined ? "[name]" : basename(folder);
}

/** @param {string} module */
function packageFolderOf(module) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(module)?.[0];
}

/**
 * The licences of the packages that modules come from, as these ask for wherever a copy goes.
 * @param {readonly string[]} modules
 */
function licensesOf(modules) {
  const packages = [...new Set(modules.map(packageFolderOf))].filter((folder) => folder !== undefined);
  return packages
    .sort()
    .map(licenseOf)
    .join(`\n${"-".repeat(80)}\n\n`);
}

/** @param {string} folder */
function licenseOf(folder) {
  const file = readdirSync(folder).find((name) => /^licen[cs]e(?:\.|$)/i.test(name));
  if (file === undefined) throw new Error(`${folder} has no licence`);
  /** @type {{ name: string, version: string }} */
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

await bundle();
