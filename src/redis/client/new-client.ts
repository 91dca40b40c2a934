import { Redis } from "ioredis";
import { RedisError } from "../../model/errors.js";
import type { RedisTls, ServerAddress } from "../../model/redis-target.js";
import { codeOf, isReply } from "../redis-fault.js";
import { restoreFastStrings } from "./restore-fast-strings.js";

/** A client that is not connected yet. It never reconnects or resends. */
export interface NewClient {
  readonly client: Redis;
  /**
   * The cause of an error that connecting or a command raised: ioredis rejects with "Connection is
   * closed." and emits the cause as an event.
   */
  readonly causeOf: (error: unknown) => unknown;
}

/** Waits no longer for a server that does not answer. */
const disconnectWithinMs = 100;

export function newClient(address: ServerAddress, tls: RedisTls | undefined, connectTimeout: number): NewClient {
  restoreFastStrings();
  const client = new Redis({
    ...address,
    ...(tls === undefined ? {} : { tls: tlsOptions(tls) }),
    protocol: 2,
    lazyConnect: true,
    disconnectTimeout: disconnectWithinMs,
    connectTimeout,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
  });
  let lastError: unknown;
  client.on("error", (error) => {
    lastError = error;
  });
  const causeOf = (error: unknown) => {
    const isCause = isReply(error) || codeOf(error) === "ETIMEDOUT" || error instanceof RedisError;
    return isCause ? error : (lastError ?? error);
  };
  return { client, causeOf };
}

function tlsOptions({ insecure, checkHostname, ...given }: RedisTls) {
  return {
    ...given,
    rejectUnauthorized: !insecure,
    ...(checkHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}
