import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseRedisUrl } from "../../src/settings/redis-url.js";
import { projectRoot } from "../support/project.js";

/**
 * What redis-py 4.3.4 made of each URL, null if it could not use it:
 * test/python/redis_url_cases.py.
 */
const cases: readonly (readonly [url: string, meaning: Readonly<Record<string, unknown>> | null])[] = JSON.parse(
  readFileSync(join(projectRoot, "test/settings/redis-url-cases.json"), "utf8"),
);

function meaningOf(text: string) {
  const url = parseRedisUrl(text);
  if ("problem" in url) return null;
  const { tls } = url;
  return {
    tls: url.scheme === "rediss",
    db: url.db,
    username: url.username ?? null,
    password: url.password ?? null,
    ...url.address,
    ...(url.scheme === "rediss"
      ? {
          verify: tls.verify,
          ca: tls.caFile ?? null,
          cert: tls.certFile ?? null,
          key: tls.keyFile ?? null,
        }
      : {}),
    ...(tls.checkHostname === undefined ? {} : { checkHostname: tls.checkHostname }),
  };
}

describe("a Redis URL means what redis-py makes of it", () => {
  for (const [url, meaning] of cases) {
    // redis-py drops a fragment, which most often is the rest of a password: refused here.
    it(url, () => assert.deepEqual(meaningOf(url), url.includes("#") ? null : meaning));
  }

  it("any password, percent-encoded, comes back whole", () => {
    const password = `${Array.from({ length: 0x17f }, (_, code) => String.fromCodePoint(code + 1)).join("")}€😀`;
    for (const url of [
      `redis://:${encodeURIComponent(password)}@h`,
      `redis://h?password=${encodeURIComponent(encodeURIComponent(password))}`,
    ]) {
      const parsed = parseRedisUrl(url);
      assert.equal("problem" in parsed ? parsed.problem : parsed.password, password);
    }
  });

  const refused = [
    ["an unknown option is named", "redis://h?surprise=hunter2", "its option surprise is not known for redis:"],
    ["an option's name that could be a secret is not", "redis://h?x&hUnter2=1", "(a name that is not shown)"],
    ["an option of another scheme is named", "redis://h?ssl_ca_certs=/x", "ssl_ca_certs is not known for redis:"],
    ["another scheme", "http://u:hunter2@h", "redis://, rediss:// or unix://"],
    ["a bad port", "redis://u:hunter2/@h", "port is not a number"],
    ["a # in a password", "redis://:57#hunter2@h:6380/0", "it holds a #"],
    ["a # in a user name", "rediss://hunter2#x:p@h", "it holds a #"],
    ["a # at the end", "redis://h/1#", "it holds a #"],
    ["a # in a socket's path", "unix:///run/r#hunter2.sock", "it holds a #"],
    ["a # in an option", "redis://h?password=hunter2#x", "it holds a #"],
    ["a bad database", "redis://h?db=hunter2", "database is not a whole number"],
    ["a bad ssl_cert_reqs", "rediss://h?ssl_cert_reqs=hunter2", "none, optional or required"],
    ["a socket without a path", "unix://u:hunter2@", "names no socket"],
    ["half a bracket", "redis://[::1", "not an IPv6 address"],
  ] as const;
  for (const [name, url, words] of refused) {
    it(`refused: ${name}`, () => {
      const parsed = parseRedisUrl(url);
      assert.ok("problem" in parsed && parsed.problem.includes(words), JSON.stringify(parsed));
      assert.ok(!parsed.problem.includes("unter2"));
    });
  }

  it("a path that is no database number is database 0, with a warning", () => {
    const parsed = parseRedisUrl("redis://h/hunter2");
    assert.ok(!("problem" in parsed) && parsed.db === 0);
    assert.match(parsed.warnings.join(), /database 0 is used/);
    assert.ok(!parsed.warnings.join().includes("hunter2"));
  });
});
