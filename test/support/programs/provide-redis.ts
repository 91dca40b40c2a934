import { type Machine, type ProvidedProgram, provideProgram } from "./provide-program.js";

/**
 * A Redis server's program: from the PATH, else newly installed, else a Docker container (that way
 * is tested with a stand-in for `docker` only). Throws an Error of one sentence that says what to
 * install.
 */
export function provideRedis(machine?: Machine): Promise<ProvidedProgram> {
  return provideProgram(
    {
      title: "A Redis server",
      names: ["redis-server", "valkey-server"],
      package: "redis-server",
      service: "redis-server.service",
      image: "redis:7-alpine",
    },
    machine,
  );
}
