import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { between } from "./support/process/between.js";
import { runCommand } from "./support/process/command.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "./support/process/temporary-directory.js";
import { openBrowser } from "./support/programs/open-browser.js";
import { projectRoot } from "./support/project.js";
import { startFaultProxy } from "./support/proxies/fault-proxy.js";
import { redisCommand } from "./support/servers/redis-command.js";
import { startRedis } from "./support/servers/redis-server.js";
import { makeSessions } from "./support/sessions/make-sessions.js";
import { recordTerminals } from "./support/terminal/record-terminals.js";

const sessions = 20_000;
/** What an image of the documents may take, bytes. */
const maxBytes = 150_000;
/** CSS pixels. */
const picture = { width: 900, height: 1150 };

// Draws docs/images/ anew: a page of a real copy whose Redis goes away for a while, and terminals.
const place = makeTemporaryDirectory();
const redis = await startRedis({ args: ["--maxmemory", "32mb"] });
const proxy = await startFaultProxy(redis.port, [{ kind: "refuse", at: 6000, connections: 5 }]);
const browser = await openBrowser();
try {
  const directory = join(place, "sessions");
  const [html, images] = [join(place, "copy.html"), join(projectRoot, "docs", "images")];
  await makeSessions(directory, { count: sessions, mtimes: "spread", strays: true });
  await runCommand(["copy", ...between(directory, proxy), "--html", html, "--max-rate", "3000"]);
  mkdirSync(images, { recursive: true });
  await redisCommand(redis, "FLUSHALL");
  await recordTerminals({ directory, redis, images });
  const shown = readFileSync(html, "utf8").replaceAll(directory, "/srv/tele/sessions");
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ colorScheme, viewport: picture });
    await page.goto(pathToFileURL(html).href);
    await page.setContent(shown);
    const path = join(images, `report-${colorScheme}.png`);
    await page.screenshot({ path, clip: { x: 0, y: 0, ...picture } });
    if (statSync(path).size > maxBytes) throw new Error(`${path} is larger than ${maxBytes} bytes`);
    await page.close();
  }
} finally {
  await browser.close();
  await proxy.stop();
  await redis.stop();
  removeTemporaryDirectory(place);
}
