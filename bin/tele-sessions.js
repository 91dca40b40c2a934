#!/usr/bin/env node
// Files that are waited for at a time: Node takes this only before it loads its first module.
process.env["UV_THREADPOOL_SIZE"] ??= "96";
import("../dist/cli/main.js").then(({ main }) => main(process.argv.slice(2)));
