import { spawn } from "node:child_process";
import { Socket } from "node:net";

// Reads what is to be done from its standard input; the end of that input is the end of this
// process, however it came.
const script = `
trap '' INT TERM HUP QUIT
pids=' ' containers=' '
without() { case "$1" in *" $2 "*) printf '%s %s' "\${1%% "$2" *}" "\${1#* "$2" }" ;; *) printf '%s' "$1" ;; esac; }
while read -r verb value; do
  case $verb in
    kill) pids="$pids$value " ;;
    spare) pids="$(without "$pids" "$value") " ;;
    docker) docker=$value ;;
    container) containers="$containers$value " ;;
    release) containers="$(without "$containers" "$value") " ;;
    remove) set -- "$@" "$value" ;;
  esac
done
[ "$pids" ] && kill -KILL $pids
for id in $containers; do "$docker" rm --force "$id"; done
for path in "$@"; do rm -rf -- "$path"; done
`;

let input: Socket | undefined;

function tell(line: string): void {
  if (input === undefined) {
    const child = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    if (!(child.stdin instanceof Socket)) throw new Error("sh has no standard input");
    input = child.stdin;
    input.unref();
    child.unref();
  }
  input.write(`${line}\n`);
}

/**
 * Tidies up when this process ends, be it by a return, a throw, Ctrl-C or kill -9: a shell apart
 * does it, moments after the end.
 */
export const caretaker = {
  /**
   * Kills the process with that id, unless the function given back is called first: it must be,
   * once the process has ended.
   */
  killAtEnd(pid: number): () => void {
    tell(`kill ${pid}`);
    return () => tell(`spare ${pid}`);
  },

  /** Removes the Docker container with that id, unless the function given back is called first. */
  removeContainerAtEnd(docker: string, id: string): () => void {
    tell(`docker ${docker}`);
    tell(`container ${id}`);
    return () => tell(`release ${id}`);
  },

  /** Removes a file or a directory and all that is in it. */
  removeAtEnd(path: string): void {
    tell(`remove ${path}`);
  },
};
