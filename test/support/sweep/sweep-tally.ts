import type { SweptRun } from "./swept-run.js";

/** Counts what became of swept runs. */
export class SweepTally {
  readonly #exitCodesOfFaults = new Map<string, Map<number, number>>();
  readonly #exitCodesOfCommands = new Map<string, Map<number, number>>();
  readonly #problems: string[] = [];
  readonly #missed: string[] = [];
  #runs = 0;
  #happened = 0;
  #again = 0;
  #lost = 0;
  #forgotten = 0;

  add({ planned, happened, missed, exitCode, exitCodeAgain, lost, forgotten, problems }: SweptRun): void {
    this.#runs += 1;
    this.#happened += happened.length;
    this.#lost += lost;
    this.#forgotten += forgotten;
    if (exitCodeAgain !== undefined) this.#again += 1;
    if (exitCode !== undefined) {
      countIn(this.#exitCodesOfCommands, planned.command.name, exitCode);
      for (const { name } of happened) countIn(this.#exitCodesOfFaults, name, exitCode);
    }
    if (missed.length > 0) {
      this.#missed.push(`${planned.name}: not ${missed.map(({ name }) => name)}, exit ${exitCode}`);
    }
    this.#problems.push(...problems.map((problem) => `${planned.name}: ${problem}`));
  }

  get runs(): number {
    return this.#runs;
  }

  get lost(): number {
    return this.#lost;
  }

  /** One sentence for each thing that was not as it must be. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Runs that ended before a fault of theirs. */
  get missed(): readonly string[] {
    return this.#missed;
  }

  /** The names of the faults that happened. */
  get happened(): ReadonlySet<string> {
    return new Set(this.#exitCodesOfFaults.keys());
  }

  /** In one line. */
  get summary(): string {
    return [
      `${this.#runs} runs, ${this.#happened} faults happened, ${this.#missed.length} runs ended before one of theirs`,
      `${this.#again} runs again after a failure, sessions lost: ${this.#lost}`,
      ...(this.#forgotten > 0 ? [`forgotten by Redis once their files were gone: ${this.#forgotten}`] : []),
    ].join("; ");
  }

  /**
   * A line for each command and each fault, with the exit codes of the runs that it happened to.
   */
  get table(): readonly string[] {
    return [...this.#exitCodesOfCommands, ...this.#exitCodesOfFaults].map(([name, counts]) => {
      const codes = [...counts].toSorted(([one], [other]) => one - other);
      return `${name}: ${codes.map(([code, count]) => `exit ${code} ${count} times`).join(", ")}`;
    });
  }
}

function countIn(table: Map<string, Map<number, number>>, name: string, code: number): void {
  const counts = table.get(name) ?? new Map<number, number>();
  counts.set(code, (counts.get(code) ?? 0) + 1);
  table.set(name, counts);
}
