/** What a repair took out of a database. */
import type { KeyForm } from '../../lsm/layout.ts'

export type Loss = TableFileLoss | LogLoss | StateLoss

/** A table file that cannot be read: its rows are gone, and older versions of them may be seen again. */
export interface TableFileLoss {
  readonly kind: 'tableFile'
  readonly file: string
  readonly shard: number
  readonly reason: string
  /** undefined when there was no file, or it could not be copied. */
  readonly quarantined: string | undefined
  /** What is known of it; undefined when neither a manifest nor the file tells. */
  readonly contents: TableFileContents | undefined
}

export interface TableFileContents {
  readonly tableId: number
  readonly keyForm: KeyForm
  readonly minKey: Uint8Array
  readonly maxKey: Uint8Array
  /** Rows that are no tombstones. */
  readonly rowCount: number
  /** Deletions, whose rows may be seen again. */
  readonly tombstoneCount: number
}

/** The end of a log, from its first damage on: acknowledged statements are gone. */
export interface LogLoss {
  readonly kind: 'log'
  readonly file: string
  readonly shard: number
  readonly reason: string
  readonly byteOffset: number
  readonly quarantined: readonly string[]
  /** Of the whole records behind the damage. */
  readonly records: number
  readonly firstSequence: number | undefined
  readonly lastSequence: number | undefined
  /** By kind and table id. */
  readonly operations: Readonly<Record<string, number>>
}

/** A manifest or the format file: rebuilt from what the other files say. */
export interface StateLoss {
  readonly kind: 'manifest' | 'format'
  readonly file: string
  readonly shard: number | undefined
  readonly reason: string
  readonly quarantined: string | undefined
}
