import type { ServerGaps } from "./server-gaps.js";

/** The scripts of the session store. Each has one key. */
export interface SessionScripts {
  /** ARGV: value, expiry. Returns OK, or nothing if the key exists. */
  readonly create: string;
  /** ARGV: value, expiry. Returns OK. */
  readonly overwrite: string;
  /** Returns the value and the expiry: -1 for none, -2 if there is no key. */
  readonly read: string;
  /** ARGV: value and expiry as seen, new value, new expiry. Returns 1, or 0 if the key changed. */
  readonly compareAndSet: string;
  /** ARGV: value and expiry as seen, new expiry. Takes no memory and sends half the bytes. */
  readonly compareAndRenew: string;
  /** ARGV: digest of the value, because the value is gone with its file; expiry as seen. */
  readonly compareAndDelete: string;
}

const expiry = `
local function expiry() return redis.call('PEXPIRETIME', KEYS[1]) end`;
/**
 * Without PEXPIRETIME: now and what is left make the instant. Redis before 7.0 reads the clock for
 * each command, so both count only if no millisecond began between. Redis before 7.0 lets a script
 * write after TIME only if its effects are replicated.
 */
const expiryByClock = `
if redis.replicate_commands then redis.replicate_commands() end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function expiry()
  for _ = 1, 1000 do
    local before = now()
    local left = redis.call('PTTL', KEYS[1])
    if left == -1 then return -1 end
    if left <= 0 then return -2 end
    if now() == before then return before + left end
  end
  error('the clock of Redis does not stand still')
end`;

const put = `
local function put(value, instant) redis.call('SET', KEYS[1], value, 'PXAT', instant) end`;
/** Without PXAT. If PEXPIREAT is denied, the first call says so before a key is left without expiry. */
const putInSteps = `
local function put(value, instant)
  redis.call('PEXPIREAT', KEYS[1], instant)
  redis.call('SET', KEYS[1], value)
  redis.call('PEXPIREAT', KEYS[1], instant)
end`;

/** Compares bytes and expiry, because Redis's JSON parser rejects what Python writes. */
const compare = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if expiry() ~= tonumber(ARGV[2]) then return 0 end`;

function scriptsFor({ pxat, pexpiretime }: ServerGaps): SessionScripts {
  const asksExpiry = pexpiretime ? expiryByClock : expiry;
  const puts = pxat ? putInSteps : put;
  return {
    create: `${puts}
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
put(ARGV[1], ARGV[2])
return redis.status_reply('OK')`,
    overwrite: `${puts}
put(ARGV[1], ARGV[2])
return redis.status_reply('OK')`,
    read: `${asksExpiry}
local value = redis.call('GET', KEYS[1])
return { value, expiry() }`,
    compareAndSet: `${asksExpiry}${puts}${compare}
put(ARGV[3], ARGV[4])
return 1`,
    compareAndRenew: `${asksExpiry}${compare}
return redis.call('PEXPIREAT', KEYS[1], ARGV[3])`,
    compareAndDelete: `${asksExpiry}
local value = redis.call('GET', KEYS[1])
if not value or redis.sha1hex(value) ~= ARGV[1] then return 0 end
if expiry() ~= tonumber(ARGV[2]) then return 0 end
return redis.call('DEL', KEYS[1])`,
  };
}

const made = new Map<string, SessionScripts>();

/** The scripts that a server with these gaps takes. */
export function sessionScripts(gaps: ServerGaps): SessionScripts {
  const name = `${gaps.pxat} ${gaps.pexpiretime}`;
  const scripts = made.get(name) ?? scriptsFor(gaps);
  made.set(name, scripts);
  return scripts;
}
