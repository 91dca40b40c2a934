/** Why a text cannot be used, in words that quote no value in it: it may hold passwords. */
export interface TextProblem {
  readonly problem: string;
}
