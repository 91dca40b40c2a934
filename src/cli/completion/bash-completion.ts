import { type CommandWords, type CompletedFlag, flagsWithValue } from "./command-words.js";

/** The completion of bash 4.3 or later, which needs no other package. */
export function bashCompletion({ flags, commands }: CommandWords): string {
  const all = [...flags, ...commands.flatMap((command) => command.flags)];
  return `# bash completion for tele-sessions: put this into /etc/bash_completion.d/tele-sessions
_tele_sessions() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev= command= word= takes_value= i
  (( COMP_CWORD > 0 )) && prev=\${COMP_WORDS[COMP_CWORD-1]}
  # bash takes --flag=value apart.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]] && (( COMP_CWORD > 1 )); then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=\${COMP_WORDS[i]}
    if [[ -n $takes_value ]]; then
      [[ $word == = ]] || takes_value=
      continue
    fi
    case $word in
      ${flagsWithValue().join("|")}) takes_value=1 ;;
      ${commands.map(({ name }) => name).join("|")}) command=$word; break ;;
    esac
  done
  COMPREPLY=()
  case $prev in
${valueCases(all)}
  esac
  local flags= words=
  case $command in
${commands
  .map(
    ({ name, flags: own, words }) =>
      `    ${name}) flags=${quoted(namesOf(own))}; words=${words === "file" ? "" : quoted(words)} ;;`,
  )
  .join("\n")}
    *) flags=${quoted(namesOf(flags))}; words=${quoted(commands.map(({ name }) => name))} ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
${commands
  .filter(({ words }) => words === "file")
  .map(
    ({ name }) => `  elif [[ $command == ${name} ]]; then
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
`,
  )
  .join("")}  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _tele_sessions tele-sessions
`;
}

/** What follows a flag that takes a value; flags of one kind share a line. */
function valueCases(all: readonly CompletedFlag[]): string {
  const actions = new Map<string, Set<string>>();
  for (const { long, value } of all) {
    const action = actionFor(value);
    if (action !== undefined) actions.set(action, (actions.get(action) ?? new Set()).add(long));
  }
  return [...actions].map(([action, names]) => `    ${[...names].join("|")})\n${action}\n      return ;;`).join("\n");
}

function actionFor(value: CompletedFlag["value"]): string | undefined {
  switch (value) {
    case "none":
      return undefined;
    case "text":
      return "      :";
    case "file":
    case "directory":
      return `      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -${value === "file" ? "f" : "d"} -- "$cur")`;
    default:
      return `      mapfile -t COMPREPLY < <(compgen -W ${quoted(value)} -- "$cur")`;
  }
}

function namesOf(flags: readonly CompletedFlag[]): readonly string[] {
  return flags.flatMap(({ long, short }) => (short === undefined ? [long] : [short, long]));
}

function quoted(words: readonly string[]): string {
  return `'${words.join(" ")}'`;
}
