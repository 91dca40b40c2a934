/** What Redis holds under a key. */
export type StoredValue =
  | { readonly kind: "nothing" }
  /** No string: a list, a hash. */
  | { readonly kind: "other-type" }
  /** Redis does not give it: it answers with a limit, or closes the connection. */
  | { readonly kind: "unreadable"; readonly detail: string }
  | {
      readonly kind: "text";
      readonly value: Buffer;
      /** Milliseconds since the epoch, on our clock; null where the key never ends. */
      readonly expiresAtMs: number | null;
    };

export type StoredText = Extract<StoredValue, { readonly kind: "text" }>;
