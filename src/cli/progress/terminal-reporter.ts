import ora from "ora";
import type { RunProgress } from "../../model/progress/run-progress.js";
import type { FormatLine, Reporter, Say } from "./log-line.js";
import { backText } from "./progress-text.js";
import { viewLines } from "./view-lines.js";

const redrawMs = 100;
/** Not by a timer of ora's own: the view is drawn when it changes. */
const neverMs = 2 ** 31 - 1;

export interface TerminalOptions {
  readonly colored: boolean;
  readonly format: FormatLine;
}

/** A few lines about the progress, redrawn in place on a terminal that has columns. */
export function terminalReporter(progress: RunProgress, { colored, format }: TerminalOptions): Reporter {
  const view = new View(process.stderr, colored);
  const draw = () => {
    // Has Node ask for the size now. A view drawn at the old width leaves rows behind at a resize.
    process.emit("SIGWINCH", "SIGWINCH");
    const { columns, rows } = process.stderr;
    view.draw(columns > 0 ? viewLines(progress.state, columns, rows) : []);
  };
  const say: Say = (...line) => view.writeAbove(format(...line));
  const resize = () => view.makeRoom();
  progress.listen((change) => {
    if (change.kind === "back") say("back", backText(change.target, change.seconds));
    draw();
  });
  process.stderr.on("resize", resize);
  const timer = setInterval(draw, redrawMs).unref();
  return {
    say,
    end: () => {
      clearInterval(timer);
      process.stderr.off("resize", resize);
      progress.listen(() => undefined);
      view.end();
    },
  };
}

/** Lines at the bottom of a terminal. Ora draws them, hides the cursor, and restores it at any exit. */
class View {
  readonly #stream: NodeJS.WriteStream;
  readonly #spinner: ReturnType<typeof ora>;
  /** Before ora puts itself in between. */
  readonly #write: (text: string) => void;
  #drawn: readonly string[] = [];

  constructor(stream: NodeJS.WriteStream, colored: boolean) {
    this.#stream = stream;
    const { write } = stream;
    this.#write = (text) => void write.call(stream, text);
    const color = colored ? "cyan" : false;
    this.#spinner = ora({ stream, isEnabled: true, discardStdin: false, color, spinner: spinnerOf("") });
  }

  draw(lines: readonly string[]): void {
    if (lines.length === 0) {
      this.end();
      return;
    }
    if (lines.join("\n") === this.#drawn.join("\n")) return;
    this.#drawn = lines;
    // The cursor rests on an empty line: the `^C` that a terminal echoes would wrap a full one.
    const text = `${lines.join("\n")}\n`;
    // Ora puts a space between its spinner and its text, so the first word is the spinner.
    const [, first = "", rest = ""] = /^(\S*) ?([\s\S]*)$/.exec(text) ?? [];
    this.#spinner.spinner = spinnerOf(first);
    this.#spinner.text = rest;
    if (this.#spinner.isSpinning) this.#spinner.render();
    else this.#spinner.start();
  }

  /** Writes whole lines where the view stands; the view comes back below them. */
  writeAbove(text: string): void {
    if (text === "") return;
    if (this.#spinner.isSpinning) this.#spinner.clear();
    this.#drawn = [];
    this.#write(text);
  }

  /**
   * Clears the rows that the view takes in a terminal that just became narrower: it wraps lines that
   * are there, and ora knows of one row for each.
   */
  makeRoom(): void {
    const { columns } = this.#stream;
    if (!(columns > 0) || this.#drawn.length === 0) return;
    const rows = this.#drawn.reduce((sum, line) => sum + Math.ceil(line.length / columns), 0);
    for (let row = rows; row > this.#drawn.length; row--) this.#write("\r\x1b[K\x1b[A");
    this.#drawn = [];
  }

  end(): void {
    if (this.#spinner.isSpinning) this.#spinner.stop();
    this.#drawn = [];
  }
}

function spinnerOf(word: string) {
  return { frames: [word], interval: neverMs };
}
