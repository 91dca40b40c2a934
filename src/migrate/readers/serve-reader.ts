import { type MessagePort, parentPort } from "node:worker_threads";
import { unpackBatch } from "../../source/packed-files.js";
import { Reader } from "./reader.js";
import type { FromReader, ToReader } from "./reader-messages.js";

/** Serves a reader to the main thread. */
function serveReader(port: MessagePort): void {
  let reader: Reader | undefined;
  const answer = async (message: Exclude<ToReader, { readonly kind: "open" }>): Promise<void> => {
    const { id } = message;
    try {
      if (reader === undefined) throw new Error("a reader is asked before it is opened");
      const files = unpackBatch(message.files);
      if (message.kind === "inspect") {
        say({ kind: "inspected", id, inspection: await reader.inspect(files) });
        return;
      }
      if (message.kind === "stat") {
        say({ kind: "changed", id, files: await reader.changedSince(files, message.sinceMs) });
        return;
      }
      const { sessions, ...others } = await reader.convert(files, message.room);
      const { table } = sessions;
      const { commands, numbers, digests } = table;
      say({ kind: "converted", id, batch: { ...others, table } }, [commands, numbers.buffer, digests.buffer]);
    } catch (error) {
      say({ kind: "failed", id, error });
    }
  };
  const say = (message: FromReader, transferred: readonly ArrayBuffer[] = []) => port.postMessage(message, transferred);
  port.on("message", (message: ToReader) => {
    if (message.kind === "open") reader = new Reader(message.options);
    else void answer(message);
  });
}

if (parentPort !== null) serveReader(parentPort);
