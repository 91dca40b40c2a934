import { inspect } from "node:util";

/** What the test runner hears from a test file: one of these on a line, as JSON. */
export type TestEvent =
  | { readonly kind: "started"; readonly name: string }
  | { readonly kind: "passed"; readonly name: string; readonly skipped: boolean }
  | { readonly kind: "failed"; readonly name: string; readonly where: string; readonly error: string }
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "ended" };

/** The parts of node:test's events that are read here; the published types are wider. */
interface NodeTestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly nesting?: number;
    readonly file?: string;
    readonly line?: number;
    readonly message?: string;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly type?: string; readonly error?: Error & { readonly failureType?: string } };
  };
}

/**
 * A reporter for node:test that writes `TestEvent`s. Suites, and tests that only failed because of their subtests, are
 * not tests of their own.
 */
async function* reportEvents(source: AsyncIterable<NodeTestEvent>): AsyncGenerator<string> {
  for await (const event of inOrder(source)) yield `${JSON.stringify(event)}\n`;
}

async function* inOrder(source: AsyncIterable<NodeTestEvent>): AsyncGenerator<TestEvent> {
  const path: string[] = [];
  for await (const { type, data } of source) {
    const { name = "", nesting = 0, details } = data;
    if (type === "test:dequeue") yield { kind: "started", name };
    if (type === "test:start") path.splice(nesting, path.length, name);
    const fullName = [...path.slice(0, nesting), name].join(" > ");
    if (type === "test:pass" && details?.type !== "suite") {
      const skipped = (data.skip ?? data.todo ?? false) !== false;
      yield { kind: "passed", name: fullName, skipped };
    }
    if (type === "test:fail" && details?.error?.failureType !== "subtestsFailed") {
      const error = describeError(details?.error?.cause ?? details?.error);
      yield { kind: "failed", name: fullName, where: `${data.file ?? ""}:${data.line ?? ""}`, error };
    }
    // Those without a file are node:test's own sums.
    if (type === "test:diagnostic" && data.file !== undefined)
      yield { kind: "said", text: data.message ?? "" };
  }
  yield { kind: "ended" };
}

function describeError(error: unknown): string {
  const text = inspect(error, { depth: 8, maxStringLength: 4000, breakLength: 110 });
  return text.replaceAll(/^ +at .*node:internal.*\n/gm, "");
}

// biome-ignore lint/style/noDefaultExport: node:test loads a reporter by its default export
export default reportEvents;
