import { after, before } from "node:test";
import { DryRunStore, RedisSessionStore } from "../../../src/redis/redis-session-store.js";
import type { ClusterServers } from "../../../src/redis/topology/cluster-servers.js";
import { SplitSessionStore } from "../../../src/redis/topology/split-session-store.js";
import { type RedisCluster, startCluster } from "../../support/servers/redis-cluster.js";
import { type TestedStore, testSessionStore } from "../session-store.contract.js";
import { clusterOf, storeOptions } from "../support/client-of.js";
import { clusterContents, fillCluster } from "../support/redis-contents.js";

let cluster: RedisCluster;
before(async () => {
  cluster = await startCluster({ replicas: 0 });
});
after(() => cluster.stop());

function onCluster(Store: typeof RedisSessionStore): TestedStore["open"] {
  return async (t, contents, clockLeadMs) => {
    await fillCluster(cluster, contents);
    const servers: ClusterServers = await clusterOf(t, cluster);
    const options = { ...storeOptions(), clockLeadMs };
    const store = new SplitSessionStore(servers, options.keyPrefix, ({ connection }) => new Store(connection, options));
    return { store, contents: () => clusterContents(cluster) };
  };
}

testSessionStore("SplitSessionStore on a Cluster", { open: onCluster(RedisSessionStore) });
testSessionStore("SplitSessionStore in a dry run", { open: onCluster(DryRunStore), isDry: true });
