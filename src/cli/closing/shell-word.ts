/** A word as a shell reads it: quoted if it must be, with control characters and such escaped. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (/^[\x20-\x7e]*$/.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const bytes = [...Buffer.from(word)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[\x20-\x7e]/.test(character)
      ? character.replace(/['\\]/, "\\$&")
      : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `$'${bytes.join("")}'`;
}
