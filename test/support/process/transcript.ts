/** What a running command has written so far. */
export interface Transcript {
  text(): string;
  append(text: string): void;
  /** Nothing more will come. */
  end(): void;
  /** Waits until the text matches. Rejects, with the text, if it ends before. */
  waitFor(pattern: RegExp): Promise<void>;
}

export function makeTranscript(): Transcript {
  let text = "";
  let ended = false;
  let watchers: (() => void)[] = [];

  function wake(): void {
    const woken = watchers;
    watchers = [];
    for (const watcher of woken) watcher();
  }

  return {
    text: () => text,
    append: (more) => {
      text += more;
      wake();
    },
    end: () => {
      ended = true;
      wake();
    },
    async waitFor(pattern) {
      while (!pattern.test(text)) {
        if (ended) throw new Error(`It ended without writing ${pattern}:\n${text}`);
        await new Promise<void>((resolve) => watchers.push(resolve));
      }
    },
  };
}
