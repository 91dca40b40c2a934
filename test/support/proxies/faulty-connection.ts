import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandFault, FaultSchedule, ReplyFault } from "./fault-schedule.js";
import { type CommandHead, commandHead, makeMessageSplitter } from "./resp-messages.js";

/** What a connection needs of the proxy that it belongs to. */
export interface ConnectionSurroundings {
  readonly schedule: FaultSchedule;
  readonly redisPort: number;
  /** Ends every connection and resets so many new ones. */
  readonly refuse: (connections: number) => void;
  readonly onError: (error: unknown) => void;
}

/** A client's connection and the one to Redis behind it. */
export interface FaultyConnection {
  end(): void;
  /** Ends it, once Redis has taken what comes late. Settled when it is closed on Redis's side. */
  finish(): Promise<void>;
}

/** A command whose reply is still to come. */
interface Pending {
  readonly command: CommandHead;
  reply?: Buffer;
  /** What answers in Redis's place. */
  readonly answer?: CommandFault;
}

/** Where Redis speaks without having been asked. */
const unasked: CommandHead = { name: "", key: "" };

/** Hands commands and replies on, message by message, and carries out what the schedule says. */
export function serveFaulty(
  client: Socket,
  { schedule, redisPort, refuse, onError }: ConnectionSurroundings,
): FaultyConnection {
  const redis = connect(redisPort, "127.0.0.1");
  const closed = new Promise<void>((resolve) => {
    redis.once("close", () => resolve());
  });
  /** What comes is handed on, dropped, or, from the client, kept until that has gone. */
  let state: "open" | "stalled" | "late" | "ended" = "open";
  const pending: Pending[] = [];
  const kept: Buffer[] = [];
  let delivering = false;
  /** Whether no further command is taken. */
  let isClosing = false;
  let redisIsGone = false;
  let isAnswered = false;

  const giveBack = (): void => {
    for (const { answer } of pending) if (answer !== undefined) schedule.giveBack(answer);
  };
  const end = (): void => {
    // What comes late is still on its way to Redis.
    if (state === "ended") return;
    state = "ended";
    giveBack();
    client.destroySoon();
    redis.destroy();
  };
  const sendLate = (): void => {
    state = "ended";
    giveBack();
    client.destroy();
    redis.end(Buffer.concat(kept));
  };

  const takeCommand = (message: Buffer): void => {
    if (state === "late") kept.push(message);
    if (state !== "open" || isClosing) return;
    const command = commandHead(message);
    const fault = schedule.takeCommand(command, pending.length);
    switch (fault?.kind) {
      case undefined:
        pending.push({ command });
        redis.write(message);
        break;
      case "answer":
        pending.push({ command, reply: Buffer.from(`-${fault.error}\r\n`), answer: fault });
        void deliver();
        break;
      case "late":
        state = "late";
        kept.push(message);
        break;
      case "cut-command":
        isClosing = true;
        void deliver();
    }
  };

  const takeReply = (message: Buffer): void => {
    const asked = pending.find(({ reply }) => reply === undefined);
    if (asked === undefined) pending.push({ command: unasked, reply: message });
    else asked.reply = message;
    void deliver();
  };

  /** Hands on the replies that are there, in the order of their commands. */
  const deliver = async (): Promise<void> => {
    if (delivering) return;
    delivering = true;
    for (let next = pending[0]; next?.reply !== undefined && state === "open"; next = pending[0]) {
      pending.shift();
      const { command, reply, answer } = next;
      const fault = schedule.takeReply(command, isAnswered);
      if (fault === undefined || (await isForwarded(fault, reply))) {
        client.write(reply);
        if (answer !== undefined) schedule.noteAnswer(answer, command);
        isAnswered ||= answer !== undefined;
      } else if (answer !== undefined) schedule.giveBack(answer);
      if (fault?.kind === "cut-after") end();
    }
    delivering = false;
    if (state === "open" && (redisIsGone || (isClosing && pending.length === 0))) end();
  };

  /** Carries out what happens before the reply. */
  const isForwarded = async (fault: ReplyFault, reply: Buffer): Promise<boolean> => {
    switch (fault.kind) {
      case "cut-after":
        return true;
      case "delay":
        await sleep(fault.milliseconds);
        return state === "open";
      case "act":
        await fault.act().catch(onError);
        if (fault.reply === "lost") end();
        return state === "open";
      case "stall":
        state = "stalled";
        return false;
      case "truncate":
        client.write(reply.subarray(0, reply.length >> 1));
        break;
      case "reset":
        client.resetAndDestroy();
        break;
      case "refuse":
        refuse(fault.connections);
        break;
      case "cut-before":
        break;
    }
    end();
    return false;
  };

  // What came at once goes at once: Redis then does it at once.
  client.on("data", corked(redis, makeMessageSplitter(takeCommand)));
  redis.on("data", corked(client, makeMessageSplitter(takeReply)));
  // Whatever ended a socket, its `close` follows.
  client.on("error", () => undefined);
  redis.on("error", () => undefined);
  client.on("close", () => (state === "late" ? sendLate() : end()));
  redis.on("close", () => {
    redisIsGone = true;
    void deliver();
  });

  return {
    end,
    finish: () => {
      if (state === "late") sendLate();
      else end();
      return closed;
    },
  };
}

/** The same, with what it writes to the socket in one piece. */
function corked(socket: Socket, take: (chunk: Buffer) => void): (chunk: Buffer) => void {
  return (chunk) => {
    socket.cork();
    take(chunk);
    socket.uncork();
  };
}
