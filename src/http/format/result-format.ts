/**
 * What a format is: how a result's columns, rows and end become text or bytes. Formats are pure; when bytes are sent,
 * compressed or cut off is the business of the sink.
 */
import type { EngineRow } from '../../engine/engine.ts'
import type { Durability } from '../../settings.ts'
import type { ResultColumn } from '../../sql/plan.ts'
import type { QueryStats } from '../../sql/result.ts'

export type Chunk = string | Uint8Array

/** What a write is acknowledged with. */
export interface CommitKind {
  /** `local`: on the disk of the machine alone, though the database is in a bucket. */
  readonly durability: Durability | 'local'
  readonly copies: number
}

/** How a result ended. */
export interface ResultSummary {
  /** Rows returned, or changed by a write. */
  readonly rowCount: number
  /** Of a write that is durable as set. */
  readonly commit: CommitKind | undefined
  readonly elapsedMs: number
  /** Of a query. */
  readonly read: QueryStats | undefined
}

/** The rows of one result, one after the other. */
export interface RowEncoder {
  add(row: EngineRow): void
  /** About how many characters or bytes were added since the last `take`. */
  readonly size: number
  /** What was added since the last `take`, which may be nothing. */
  take(): Chunk
}

export interface ResultFormat {
  readonly contentType: string
  /** Whether the answer holds the result of each statement of a text; otherwise that of the one that gives rows. */
  readonly takesAll: boolean
  /** Rows of about so many characters or bytes are sent together. */
  readonly chunkSize: number
  /** What stands before the rows. */
  begin(columns: readonly ResultColumn[]): { readonly head: Chunk; readonly rows: RowEncoder }
  /** What stands behind them. */
  end(summary: ResultSummary): Chunk
  /** What tells a reader that the rows broke off, from the error as JSON; a format without it leaves that to the cut connection. */
  readonly failure?: (error: string) => Chunk
}

/** Of formats of text. */
export const textChunkSize = 65_536

/** Rows as text; `separator` stands between them. A class, since there is one for each result, and literals with getters are slow to make. */
export class TextRows implements RowEncoder {
  private readonly rowText: (row: EngineRow) => string
  private readonly separator: string
  private text = ''
  private before = ''

  constructor(rowText: (row: EngineRow) => string, separator = '') {
    this.rowText = rowText
    this.separator = separator
  }

  add(row: EngineRow): void {
    this.text += this.before + this.rowText(row)
    this.before = this.separator
  }

  get size(): number {
    return this.text.length
  }

  take(): string {
    const { text } = this
    this.text = ''
    return text
  }
}
