import fc from "fast-check";

/** Session files with a few bytes changed or cut off. */
export function damaged(whole: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .record({
      bytes: whole,
      changes: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
      cut: fc.option(fc.nat(200)),
    })
    .map(({ bytes, changes, cut }) => {
      const copy = Buffer.from(bytes.subarray(0, cut ?? bytes.length));
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return copy;
    });
}
