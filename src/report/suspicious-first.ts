/** Puts failures that somebody may have planted in front; the others keep their order. */
export function suspiciousFirst<Failure extends { readonly suspicious?: boolean | undefined }>(
  failures: readonly Failure[],
): Failure[] {
  const rankOf = ({ suspicious }: Failure) => (suspicious === true ? 0 : 1);
  return failures.toSorted((one, other) => rankOf(one) - rankOf(other));
}
