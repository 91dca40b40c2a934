import type { Inspection } from "../../model/inspection.js";
import type { PackedBatch } from "../../source/packed-files.js";
import type { PackedConverted } from "./converted-batch.js";
import type { ChangedFile, ReaderOptions } from "./reader.js";

/** What the main thread asks of a reader's thread. */
export type ToReader =
  /** A new reader takes the place of the one before. */
  | { readonly kind: "open"; readonly options: ReaderOptions }
  | { readonly kind: "convert"; readonly id: number; readonly files: PackedBatch; readonly room: ArrayBuffer }
  | { readonly kind: "inspect"; readonly id: number; readonly files: PackedBatch }
  | { readonly kind: "stat"; readonly id: number; readonly files: PackedBatch; readonly sinceMs: number };

/** What the thread answers. */
export type FromReader =
  | { readonly kind: "converted"; readonly id: number; readonly batch: PackedConverted }
  | { readonly kind: "inspected"; readonly id: number; readonly inspection: Inspection }
  | { readonly kind: "changed"; readonly id: number; readonly files: readonly ChangedFile[] }
  | { readonly kind: "failed"; readonly id: number; readonly error: unknown };
