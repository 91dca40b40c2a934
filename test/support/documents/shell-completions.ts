import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { provideTool } from "../programs/provide-tools.js";

const timeLimitMs = 60_000;

/** What a shell offers if Tab is pressed at the end of a line. */
export type Complete = (line: string) => Promise<readonly string[]>;

/** Loads a completion script into each shell, which is installed if need be. */
export const completers: Readonly<Record<"bash" | "zsh" | "fish", (script: string) => Promise<Complete>>> = {
  bash: completeInBash,
  zsh: completeInZsh,
  fish: completeInFish,
};

async function completeInBash(script: string): Promise<Complete> {
  const shell = await provideTool("bash");
  const path = fileOf(script, "tele-sessions.bash");
  return (line) => {
    // As readline does: the line's words, taken apart at each =; the last one is being typed.
    const words = line.split(/ +|(?==)|(?<==)/).map(quoted);
    const program = `source ${quoted(path)}
COMP_WORDS=(${words.join(" ")})
COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
COMP_LINE=${quoted(line)}
COMP_POINT=\${#COMP_LINE}
spec=$(complete -p tele-sessions)
[[ $spec == "complete -F "*" tele-sessions" ]] || exit 2
\${spec:12:-14} tele-sessions
(( \${#COMPREPLY[@]} == 0 )) || printf '%s\\n' "\${COMPREPLY[@]}"`;
    return linesOf(shell, ["--norc", "-c", program]);
  };
}

async function completeInFish(script: string): Promise<Complete> {
  const shell = await provideTool("fish");
  const path = fileOf(script, "tele-sessions.fish");
  return async (line) => {
    const program = `source ${quoted(path)}; complete -C ${quoted(line)}`;
    const lines = await linesOf(shell, ["--no-config", "-c", program]);
    // A description stands after a tab.
    return lines.map((one) => one.split("\t")[0] ?? "");
  };
}

/** A zsh in a pseudo-terminal gets the line and a Tab; its `compadd` prints what it is given. */
async function completeInZsh(script: string): Promise<Complete> {
  const shell = await provideTool("zsh");
  const path = fileOf(script, "_tele-sessions");
  const setUp = fileOf(
    `PROMPT=
fpath=(${quoted(join(path, ".."))} $fpath)
autoload -Uz compinit
compinit -D -u
bindkey '^I' complete-word
border() { echo -E - $'\\0' }
compprefuncs=(border)
comppostfuncs=(border exit)
zstyle ':completion:*' insert-tab false
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi
  typeset -a hits
  builtin compadd -A hits "$@"
  setopt localoptions norcexpandparam extendedglob
  typeset -A before hidden after
  zparseopts -E P:=before p:=hidden S:=after
  for hit in $hits; do echo -E - $IPREFIX$before$hidden$hit$after; done
}
echo READY
`,
    "set-up.zsh",
  );
  const capture = fileOf(
    `zmodload zsh/zpty || exit 2
local line
integer began=0
zpty z ${quoted(shell)} -f -i
zpty -w z "source $1"
zpty -r z line '*READY*' > /dev/null || exit 2
zpty -w -n z "$2"$'\\t'
while zpty -r z; do :; done | while IFS= read -r line; do
  if [[ $line == *$'\\0\\r' ]]; then
    (( began++ )) && exit 0
  elif (( began )); then
    echo -E - \${line%$'\\r'}
  fi
done
exit 2
`,
    "capture.zsh",
  );
  return async (line) => [...new Set(await linesOf(shell, ["-f", capture, setUp, line]))];
}

function fileOf(text: string, name: string): string {
  const directory = join(makeTemporaryDirectory(), "completion");
  mkdirSync(directory);
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Rejects if the shell fails, or says anything on stderr. */
async function linesOf(shell: string, args: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr } = await promisify(execFile)(shell, [...args], { timeout: timeLimitMs });
  if (stderr !== "") throw new Error(`${shell}: ${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}
