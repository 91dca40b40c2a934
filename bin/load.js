const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { basename, dirname } = require("node:path");
const { Script } = require("node:vm");
const { crc32 } = require("node:zlib");

/** Node 20.0 to 20.15 do not say whether they are an executable of ours, and are none. */
const sea = process.getBuiltinModule?.("node:sea");

/**
 * As `require`, for a bundle in `dist`, but V8 gets the code that it compiled when the package was
 * built: this saves a third of the time to start. V8 refuses the code of another version.
 * `saveCode` saves what it compiled since.
 * @param {string} file
 */
exports.load = function load(file) {
  // The build leaves only ASCII.
  const source = read(file).toString("latin1");
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
  const code = savedCode(file, source);
  const script = new Script(wrapped, { filename: file, ...(code && { cachedData: code }) });
  const module = { exports: /** @type {any} */ ({}) };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  const saveCode = () => writeFileSync(codeFileOf(file), Buffer.concat([sumOf(source), script.createCachedData()]));
  return { exports: module.exports, isCodeTaken: script.cachedDataRejected === false, saveCode };
};

/**
 * `undefined` if none was saved for this source.
 * @param {string} file
 * @param {string} source
 */
function savedCode(file, source) {
  // Node 20.0 to 20.14 lack crc32.
  if (crc32 === undefined || !(sea?.isSea() || existsSync(codeFileOf(file)))) return undefined;
  const saved = read(codeFileOf(file));
  const sum = sumOf(source);
  return saved.subarray(0, sum.length).equals(sum) ? saved.subarray(sum.length) : undefined;
}

/**
 * Tells whether the source is still the same: V8 compares only its length.
 * @param {string} source
 */
function sumOf(source) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(source));
  return sum;
}

/**
 * An executable carries the files of the package as assets.
 * @param {string} file
 */
function read(file) {
  if (!sea?.isSea()) return readFileSync(file);
  return Buffer.from(/** @type {ArrayBuffer} */ (sea.getRawAsset(basename(file))));
}

/** @param {string} file */
function codeFileOf(file) {
  return `${file}.code`;
}
