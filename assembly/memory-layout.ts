/** The longest session file that is converted, in bytes. */
export const maxSourceLength: usize = 8 * 1024;
/** The longest JSON that is written, in bytes; enough for almost every plain pickle. */
export const maxJsonLength: usize = 64 * 1024;

/** Bytes: each kind of value takes as many. */
export const valueSize: usize = 16;
const addressSize: usize = 4;
/**
 * No opcode makes two values, goes two up the stack, or is remembered twice. No byte of JSON begins
 * two values.
 */
const mostOfEach = maxSourceLength + 1;

/** The first page of the memory holds the module's own constants. */
export const sourceAt: usize = 64 * 1024;
export const factsAt = sourceAt + maxSourceLength;
export const valuesAt = factsAt + 64;
export const stackAt = valuesAt + mostOfEach * valueSize;
export const memoAt = stackAt + mostOfEach * addressSize;
export const marksAt = memoAt + mostOfEach * addressSize;
export const maxMarks = 64;
export const jsonAt = marksAt + <usize>maxMarks * addressSize;
