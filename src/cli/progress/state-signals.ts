/** Signals that ask for the state. Node would open its debugger on the first, and die of the second. */
const signals = ["SIGUSR1", "SIGUSR2"] as const;

let sayState = (): void => {
  process.stderr.write("tele-sessions is starting\n");
};

/** Answers such signals from now on, instead of who answered them before. */
export function listenForStateRequests(): void {
  const listener = () => sayState();
  for (const name of signals) {
    const before = process.listeners(name);
    process.on(name, listener);
    for (const one of before) process.off(name, one);
  }
}

/** How the state is said from now on. */
export function answerStateRequests(say: () => void): void {
  sayState = say;
}
