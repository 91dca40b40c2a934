#!/usr/bin/env node
// Files that are waited for at a time: Node takes this only before it loads its first module.
process.env["UV_THREADPOOL_SIZE"] ??= "96";
// Node would open its debugger on SIGUSR1 and end on SIGUSR2. Both ask for the state of the run.
const sayStarting = () => process.stderr.write("tele-sessions is starting\n");
for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, sayStarting);

const { join } = require("node:path");
const { load } = require("./load.js");
load(join(__dirname, "..", "dist", "cli", "main.js")).exports.main(process.argv.slice(2));
