import { zero } from "./signs";

/** An int of so many digits fits into 64 bits. */
const maxDigits: usize = 18;

/** The number that decimal digits stand for; -1 for anything else, and for leading zeros. */
export function decimal(start: usize, end: usize): i64 {
  const length = end - start;
  if (end <= start || length > maxDigits || (load<u8>(start) === zero && length > 1)) return -1;
  let number: i64 = 0;
  for (let place = start; place < end; place++) {
    const digit = load<u8>(place) - zero;
    if (digit > 9) return -1;
    number = 10 * number + digit;
  }
  return number;
}
