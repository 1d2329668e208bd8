/** Checkpoints: the files of one consistent state. */

export interface CheckpointOptions {
  /** For people. */
  readonly name: string
  /** Absent: until it is deleted. */
  readonly keepMs?: number
}

/** Files that make up a database by themselves. They stay as they are until it is released. */
export interface Checkpoint {
  readonly files: readonly CheckpointFile[]
  release(): void
}

export interface CheckpointFile {
  /** Its name within the database's directory. */
  readonly name: string
  readonly byteLength: number
  read(): AsyncIterable<Uint8Array>
}
