import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { projectRoot } from "./support/project.js";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8");
const text = read("dist/sbom.cdx.json");
const bill: {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
} = JSON.parse(text);

test("the bill of materials is CycloneDX", async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(text), null);
  const wrong = text.replace('"SHA-512"', '"SHA-0"');
  assert.notEqual(await validator.validate(wrong), null, "the validator tells");
});

test("it names each package that the bundles hold, with the licence and the hash that npm has", () => {
  const thirdParty = read("dist/third-party-licenses.txt");
  const bundled = ["main", "serve-reader"].flatMap((name) =>
    [...read(`dist/cli/${name}.js`).matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, name]) => name),
  );
  assert.ok(bundled.length > 50);
  assert.match(read("dist/cli/main.js"), /^\/\/ src\/format\/fast\/plain-module\.ts$/m);
  assert.deepEqual(
    bill.components.map(({ name }) => name),
    [...new Set([...bundled, "assemblyscript"])].sort(),
  );
  const lock: {
    readonly packages: Readonly<Record<string, { version: string; license: string; integrity: string }>>;
  } = JSON.parse(read("package-lock.json"));
  for (const { name, version, purl, licenses, hashes } of bill.components) {
    const locked = lock.packages[`node_modules/${name}`];
    const [hash] = hashes;
    const integrity = `sha512-${Buffer.from(hash?.content ?? "", "hex").toString("base64")}`;
    assert.deepEqual(
      [version, licenses[0]?.license.id, integrity],
      [locked?.version, locked?.license, locked?.integrity],
      name,
    );
    assert.equal(purl, `pkg:npm/${name.replace("@", "%40")}@${version}`);
    assert.ok(thirdParty.includes(`${name} ${version}\n\n`), name);
  }
  assert.match(thirdParty, /licensed their contributions to AssemblyScript/, "its NOTICE, as Apache-2.0 asks");
  const manifest: { readonly name: string; readonly version: string } = JSON.parse(read("package.json"));
  const { name, version } = bill.metadata.component;
  assert.deepEqual([name, version], [manifest.name, manifest.version]);
});
