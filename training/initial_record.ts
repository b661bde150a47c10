/** What a run keeps of the model that it began with. */

/** Contents of init.json. */
export interface InitialRecord {
  /** As the configuration names it. */
  source: string;
  /** What that was: a file, or the folder of a checkpoint. */
  path: string;
  /** What was read. */
  files: { name: string; bytes: number; sha256: string }[];
  /** Validation loss of its weights in this run, nats per token, and in bits per byte. */
  val_loss?: number;
  bits_per_byte?: number;
}
