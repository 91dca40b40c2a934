import type { CommandWords, CompletedCommand, CompletedFlag } from "./command-words.js";

/** The completion of zsh. */
export function zshCompletion({ flags, commands }: CommandWords): string {
  return `#compdef tele-sessions
# zsh completion for tele-sessions: put this into a directory of $fpath, as _tele-sessions
_tele-sessions() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -s -C \\
${flags.flatMap(optionSpecs).map(continued).join("")}    '1: :->command' \\
    '*:: :->arguments' && return
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, help }) => `        ${quoted(`${name}:${escaped(help)}`)}\n`).join("")}      )
      _describe -t commands command commands ;;
    arguments)
      case $words[1] in
${commands.map(commandCase).join("")}      esac ;;
  esac
}
if [[ $funcstack[1] == _tele-sessions ]]; then
  _tele-sessions "$@"
else
  compdef _tele-sessions tele-sessions
fi
`;
}

function commandCase({ name, flags, words }: CompletedCommand): string {
  const specs = [...flags.flatMap(optionSpecs), ...wordSpecs(words)];
  const lines = specs.map((spec) => ` \\\n            ${spec}`).join("");
  return `        ${name})\n          _arguments -s${lines} ;;\n`;
}

function wordSpecs(words: CompletedCommand["words"]): readonly string[] {
  if (words === "file") return [quoted("*:report file:_files")];
  return words.length === 0 ? [] : [quoted(`1:word:(${words.join(" ")})`)];
}

/** A spec for each spelling; one spelling excludes the other, and a repeated one itself. */
function optionSpecs({ long, short, value, isRepeatable, help }: CompletedFlag): readonly string[] {
  const names = short === undefined ? [long] : [short, long];
  const before = isRepeatable ? "*" : `(${names.join(" ")})`;
  const text = `[${escaped(help)}]`;
  return names.map((name) => quoted(`${before}${name}${value === "none" ? "" : "="}${text}${actionFor(value)}`));
}

function actionFor(value: CompletedFlag["value"]): string {
  switch (value) {
    case "none":
      return "";
    case "text":
      return ":value: ";
    case "file":
      return ":file:_files";
    case "directory":
      return ":directory:_files -/";
    default:
      return `:value:(${value.join(" ")})`;
  }
}

function continued(spec: string): string {
  return `    ${spec} \\\n`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
