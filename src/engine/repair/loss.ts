/** What a repair took out of a database. */
import type { KeyForm } from '../../lsm/layout.ts'

export type Loss = TableFileLoss | LogLoss | JournalLoss | StreamLoss | StateLoss

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
  /** Of the whole records behind the damage, without those that the journal has as well. */
  readonly records: number
  readonly firstSequence: number | undefined
  readonly lastSequence: number | undefined
  /** By kind and table id. */
  readonly operations: Readonly<Record<string, number>>
}

/** A journal that was damaged, or went on behind what is left of a shard's own log: what follows the logs was written there, the rest is gone. */
export interface JournalLoss extends SharedLogLoss {
  readonly kind: 'journal'
}

/** The end of a log that is a stream of objects, from its first damage or gap on: acknowledged statements are gone. */
export interface StreamLoss extends SharedLogLoss {
  readonly kind: 'logStream'
}

/** Of what several shards have written to. */
interface SharedLogLoss {
  /** The first that is damaged, or missing. */
  readonly file: string
  readonly shard: undefined
  readonly reason: string
  readonly byteOffset: number
  readonly quarantined: readonly string[]
  /** What is lost of each shard: sequences that no table file holds, as far as what is left tells. */
  readonly shards: readonly { readonly shard: number; readonly firstSequence: number; readonly lastSequence: number }[]
  /** Of the whole records among it, and what they would have done, by kind and table id. */
  readonly records: number
  readonly operations: Readonly<Record<string, number>>
}

/** What tells the state of the database: rebuilt from what the other files say; a claim that cannot be read gives way to a later one, and its name stays; what a checkpoint kept need not stay any more. */
export interface StateLoss {
  readonly kind: 'manifest' | 'format' | 'claim' | 'checkpoint'
  readonly file: string
  readonly shard: number | undefined
  readonly reason: string
  readonly quarantined: string | undefined
}
