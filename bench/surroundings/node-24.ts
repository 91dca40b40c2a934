import { join } from "node:path";
import { listNodeVersions, newestOf, nodeCache, provideNode } from "../../test/support/programs/provide-node.js";
import { openLocalSurroundings } from "./local-surroundings.js";
import type { OpenSurroundings } from "./surroundings.js";

/** The base, with tele-sessions run by the newest Node 24. */
export const openNode24: OpenSurroundings = async (redis, programs) => {
  const { version, folder } = await provideNode(newestOf(24, await listNodeVersions()), nodeCache);
  const local = await openLocalSurroundings(redis, programs);
  return { ...local, how: `Node ${version}, ${local.how}`, node: join(folder, "node") };
};
