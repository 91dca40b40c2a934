/** Functions of JavaScript: only they know the shortest text of a float. */

/** The float that digits stand for; NaN leaves the session to the machine. */
export declare function readFloat(start: usize, end: usize): f64;

/** Writes a float as Python's `repr` does, and returns the address after it. */
export declare function writeFloat(value: f64, at: usize): usize;
