import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defineConfig } from "rolldown";
import { isolatedDeclarationSync } from "rolldown/experimental";

/** @type {{ name: string, version: string, license: string }} */
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
/** @type {{ packages: Readonly<Record<string, { integrity?: string }>> }} */
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));

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
    transform: { define: { packageVersion: JSON.stringify(manifest.version) } },
    plugins: [
      { name: "ascii", generateBundle: toAscii },
      { name: "packages", generateBundle: notePackages },
    ],
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

const reader = bundle("serve-reader", "src/migrate/readers/serve-reader.ts");
const program = bundle("main", "src/cli/main.ts");

// biome-ignore lint/style/noDefaultExport: rolldown loads a configuration by its default export
export default [
  { ...reader, output: { ...reader.output, cleanDir: true } },
  // The last: it knows what the other took from packages.
  {
    ...program,
    plugins: [
      program.plugins,
      { name: "interface", generateBundle: emitInterface },
      { name: "assets", generateBundle: emitAssets },
    ],
  },
];

/**
 * Escapes what is not ASCII: `bin/load.js` reads one byte a character, in a tenth of the time.
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function toAscii(_options, bundle) {
  for (const file of Object.values(bundle)) {
    if (file.type === "chunk") {
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }
  }
}

/**
 * The folders of the packages that the bundles hold. AssemblyScript compiles parts of its own library
 * into `plain-module.ts`.
 */
const folders = new Set(["node_modules/assemblyscript"]);

/**
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function notePackages(_options, bundle) {
  for (const file of Object.values(bundle)) {
    if (file.type === "asset") continue;
    // Above each module rolldown says where it comes from. Its own lists name unused modules too.
    for (const [, folder = ""] of file.code.matchAll(/^\/\/ (node_modules\/(?:@[^/]+\/)?[^/]+)\//gm)) {
      folders.add(folder);
    }
  }
}

/**
 * Adds the licences of all bundled packages, as these ask for, a bill of materials, and what kind of
 * files these are.
 * @this {import("rolldown").PluginContext}
 */
function emitAssets() {
  const packages = [...folders].sort().map(readPackage);
  const texts = packages.map(({ name, version, licence }) => `${name} ${version}\n\n${licence}\n`);
  const assets = {
    "third-party-licenses.txt": texts.join(`\n${"-".repeat(80)}\n\n`),
    "sbom.cdx.json": `${JSON.stringify(billOfMaterials(packages), null, 2)}\n`,
    "package.json": '{ "type": "commonjs" }\n',
  };
  for (const [fileName, source] of Object.entries(assets)) this.emitFile({ type: "asset", fileName, source });
}

/** @param {string} folder */
function readPackage(folder) {
  const wanted = /^(?:licen[cs]e|notice)(?:\.|$)/i;
  const files = readdirSync(folder)
    .filter((name) => wanted.test(name))
    .sort();
  if (files.length === 0) throw new Error(`${folder} has no licence`);
  const licence = files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
  /** @type {{ name: string, version: string, license: string }} */
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { integrity } = lock.packages[folder] ?? {};
  if (integrity === undefined) throw new Error(`package-lock.json has no hash of ${folder}`);
  return { name, version, license, licence, integrity };
}

/**
 * What the bundles hold, as CycloneDX. Nothing in it changes from one build to the next.
 * @param {readonly { name: string, version: string, license: string, integrity: string }[]} packages
 */
function billOfMaterials(packages) {
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", ...component(manifest) } },
    components: packages.map(({ integrity, ...its }) => {
      const [, sha512 = ""] = /^sha512-(.+)$/.exec(integrity) ?? [];
      const content = Buffer.from(sha512, "base64").toString("hex");
      return { type: "library", ...component(its), hashes: [{ alg: "SHA-512", content }] };
    }),
  };
}

/** @param {{ name: string, version: string, license: string }} its */
function component({ name, version, license }) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return { "bom-ref": purl, name, version, licenses: [{ license: { id: license } }], purl };
}

/**
 * Adds what programs import: a file with the library's exports, and the declarations of these and of
 * whatever they name. Node guesses the exports of a CommonJS file from its text, and in the bundle
 * would take those of the packages for ours.
 * @this {import("rolldown").PluginContext}
 * @param {unknown} _options
 * @param {import("rolldown").OutputBundle} bundle
 */
function emitInterface(_options, bundle) {
  const names = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.exports : []));
  const lines = names.filter((name) => name !== "main").map((name) => `exports.${name} = program.${name};\n`);
  const source = `"use strict";\nconst program = require("./cli/main.js");\n${lines.join("")}`;
  this.emitFile({ type: "asset", fileName: "library.js", source });
  const emit = (/** @type {string} */ path) => {
    if (emitted.has(path)) return;
    emitted.add(path);
    const { code, errors } = isolatedDeclarationSync(path, readFileSync(path, "utf8"));
    if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join("\n")}`);
    this.emitFile({ type: "asset", fileName: path.replace(/^src(.*)\.ts$/, "types$1.d.ts"), source: code });
    for (const [, name = ""] of code.matchAll(/ from "([^"]+)\.js"/g)) emit(join(dirname(path), `${name}.ts`));
  };
  /** @type {Set<string>} */
  const emitted = new Set();
  emit("src/library/index.ts");
}
