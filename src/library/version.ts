/** Whoever makes a bundle says it: `rolldown.config.js`. */
declare const packageVersion: string;

/** The version of tele-sessions. */
export const version: string = packageVersion;
