import { describe, test } from "node:test";
import { playSetUp } from "./set-ups/play-set-up.js";
import { setUpsOfFiles } from "./set-ups/set-ups-of-files.js";
import { setUpsOfRedis } from "./set-ups/set-ups-of-redis.js";
import { setUpsOfTls } from "./set-ups/set-ups-of-tls.js";

const all = process.env["TELE_SESSIONS_SET_UPS"] === "all";

describe("broken set-ups: check finds them, with the exit code of the run and the remedy (operator.md)", {
  concurrency: 2,
}, () => {
  for (const setUp of [...setUpsOfRedis, ...setUpsOfTls, ...setUpsOfFiles]) {
    test(setUp.name, (t) => playSetUp(t, setUp, all || setUp.full === true));
  }
});
