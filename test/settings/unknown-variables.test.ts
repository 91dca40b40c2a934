import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { warnOfUnknownVariables } from "../../src/settings/unknown-variables.js";

describe("variables that look like a setting but are not one (spec.md section 3)", () => {
  const warned: readonly (readonly [name: string, nearest: string])[] = [
    ["TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSION", "TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS"],
    ["TELE_SESSION_REDIS_PREFX", "TELE_SESSION_REDIS_PREFIX"],
    ["TELE_SESSIONS_REDIS_HOST", "TELE_SESSION_REDIS_HOST"],
    ["TELE_SESSIONS_REDIS", "TELE_SESSION_REDIS"],
    ["TELE_SESSION_DIRECTORY", "TELE_SESSION_DIR"],
    ["TELE_SESSION_REDIS_SSL", "TELE_SESSION_REDIS_TLS"],
    ["ODOO_SESSION_REDIS_TLS", "ODOO_SESSION_REDIS_SSL"],
    ["ODOO_SESSION_REDIS_TLS_INSECURE", "ODOO_SESSION_REDIS_SSL_CERT_REQS"],
    ["ODOO_SESSION_REDIS_PASWORD", "ODOO_SESSION_REDIS_PASSWORD"],
    ["ODOO_SESSION_REDIS_EXPIRATION_ANONYMUS", "ODOO_SESSION_REDIS_EXPIRATION_ANONYMOUS"],
  ];
  for (const [name, nearest] of warned) {
    it(name, () => {
      assert.deepEqual(warnOfUnknownVariables({ [name]: "hunter2" }), [
        `${name} is set, but it is not a setting. Did you mean ${nearest}?`,
      ]);
    });
  }

  const silent: readonly (readonly [name: string, value: string])[] = [
    ["TELE_SESSION_REDIS_PREFX", ""],
    ["TELE_SESSION_REDIS_PREFIX", "p"],
    ["ODOO_SESSION_REDIS_SSL_CERT_REQS", "0"],
    ["TELE_SESSION_REDIS_SENTINEL_USERNAME", "u"],
    ["TELE_SESSION_REDIS_SENTINEL_TLS", "1"],
    ["TELE_SESSION_REDIS_SERVICE_HOST", "10.0.0.7"],
    ["TELE_SESSION_REDIS_SERVICE_PORT", "6379"],
    ["ODOO_SESSION_REDIS_SERVICE_PORT_REDIS", "6379"],
    ["TELE_SESSION_REDIS_PORT_6379_TCP", "tcp://10.0.0.7:6379"],
    ["ODOO_SESSION_REDIS_PORT_6379_TCP_ADDR", "10.0.0.7"],
    ["TELE_SESSION_REDIS_PORT_6379_TCP_PROTO", "tcp"],
    ["TELE_SESSION_REDIS_MASTER_SERVICE_HOST", "10.0.0.7"],
    ["TELE_HOME", "/srv"],
    ["ODOO_RC", "/etc/odoo.conf"],
  ];
  for (const [name, value] of silent) {
    it(`silent: ${name}=${value}`, () => assert.deepEqual(warnOfUnknownVariables({ [name]: value }), []));
  }
});
