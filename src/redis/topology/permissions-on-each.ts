import { askPermissions, type CommandUse, type Permission, type Permissions } from "../server/permissions.js";
import { onEach, type RedisServers } from "./redis-servers.js";

/** The worst comes first. */
const order: readonly Permission[] = ["denied", "key", "absent", "unknown", "allowed"];

/** Asks every server what this user may do: what one of them denies counts as denied. */
export async function askPermissionsOnEach(
  servers: Pick<RedisServers, "all">,
  uses: readonly CommandUse[],
): Promise<Permissions> {
  const answers = await onEach(servers, (client) => askPermissions(client, uses));
  return {
    all: uses.map((_, use) => order.find((one) => answers.some(({ all }) => all[use] === one)) ?? "unknown"),
    scripts: answers.every(({ scripts }) => scripts),
  };
}
