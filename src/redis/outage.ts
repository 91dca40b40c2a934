const minPauseMs = 50;
const maxPauseMs = 5000;

/** Since when every try to use Redis has failed, and how long to wait before the next one. */
export class Outage {
  #sinceMs: number | undefined;
  #lostConnections = 0;

  /** The time of the first failure, which is now if there was none. */
  began(): number {
    this.#sinceMs ??= Date.now();
    return this.#sinceMs;
  }

  get pauseMs(): number {
    return Math.min(minPauseMs * 2 ** this.#lostConnections, maxPauseMs);
  }

  loseConnection(): void {
    this.#lostConnections++;
  }

  end(): void {
    this.#sinceMs = undefined;
    this.#lostConnections = 0;
  }
}
