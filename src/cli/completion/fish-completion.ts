import { type CommandWords, type CompletedFlag, flagsWithValue } from "./command-words.js";

/** The completion of fish. */
export function fishCompletion({ flags, commands }: CommandWords): string {
  const ofCommands = commands.flatMap(({ name, help, flags: own, words }) => {
    const condition = `-n '__tele_sessions_is ${name}'`;
    return [
      `complete -c tele-sessions -n '__tele_sessions_is' -a ${name} -d ${quoted(help)}`,
      ...own.map((flag) => flagLine(flag, condition)),
      ...(words === "file" ? [`complete -c tele-sessions ${condition} -F`] : []),
      ...(words !== "file" && words.length > 0
        ? [`complete -c tele-sessions ${condition} -a '${words.join(" ")}'`]
        : []),
    ];
  });
  return `# fish completion for tele-sessions: put this into ~/.config/fish/completions/tele-sessions.fish
# Whether this command, or none if it is left out, stands before the cursor.
function __tele_sessions_is
    set -l found
    set -l takes_value
    for word in (commandline -opc)[2..-1]
        if test -n "$takes_value"
            set takes_value
            continue
        end
        switch $word
            case ${flagsWithValue().join(" ")}
                set takes_value 1
            case ${commands.map(({ name }) => name).join(" ")}
                set found $word
                break
        end
    end
    test "$found" = "$argv[1]"
end
complete -c tele-sessions -f
${[...flags.map((flag) => flagLine(flag, "-n '__tele_sessions_is'")), ...ofCommands].join("\n")}
`;
}

function flagLine({ long, short, value, help }: CompletedFlag, condition: string): string {
  const names = `-l ${long.slice(2)}${short === undefined ? "" : ` -s ${short.slice(1)}`}`;
  return `complete -c tele-sessions ${condition} ${names}${actionFor(value)} -d ${quoted(help)}`;
}

function actionFor(value: CompletedFlag["value"]): string {
  switch (value) {
    case "none":
      return "";
    case "text":
      return " -x";
    case "file":
      return " -r -F";
    case "directory":
      return " -x -a '(__fish_complete_directories)'";
    default:
      return ` -x -a '${value.join(" ")}'`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
}
