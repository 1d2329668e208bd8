/**
 * What an iterator reads: entries of one snapshot, some at a time, from which `next()` is served. A seek goes on with
 * another read of the same snapshot.
 */
import type { KeyCursor, ReadColumns } from '../engine/keyed/kv-cursor.ts'
import type { KeyedTable } from '../engine/keyed/kv-table.ts'
import type { ReadSnapshot } from '../engine/keyed/read-snapshot.ts'
import type { UserValue } from '../engine/user-value.ts'
import { AbortError } from './abort-error.ts'
import { rangeFrom } from './range.ts'
import type { ByteRange } from './range.ts'

export type LevelColumn = 'key' | 'value'

export interface CursorOptions<Item> {
  readonly table: KeyedTable
  readonly snapshot: ReadSnapshot
  /** The snapshot is the cursor's to release. */
  readonly ownsSnapshot: boolean
  readonly range: ByteRange
  readonly reverse: boolean
  readonly columns: readonly LevelColumn[]
  /** Columns that are wanted as text; the others are bytes. */
  readonly asText: readonly LevelColumn[]
  /** Makes an item of what the columns have in one row. */
  readonly show: (columns: ReadColumns['columns'], row: number) => Item
  readonly signal: AbortSignal | undefined
}

/** Reads grow, so that an iterator that is left early has read little. */
const firstRowsAtOnce = 16, rowsAtOnceMax = 1024
const noRows: ReadColumns = { rowCount: 0, columns: [] as readonly (readonly UserValue[])[] }

export class Cursor<Item> {
  readonly #options: CursorOptions<Item>
  /** What is still to be read; undefined when nothing is. */
  #range: ByteRange | undefined
  #reading: KeyCursor | undefined
  /** Why reading ended early: asked again, it must not look like the end of the data. */
  #failure: { readonly cause: unknown } | undefined
  #rows = noRows
  #position = 0
  #rowsAtOnce = firstRowsAtOnce

  constructor(options: CursorOptions<Item>) {
    this.#options = options
    this.#range = options.range
  }

  /** `left` is how many items may still be asked for, here and below; undefined after the last one. */
  next(left: number): Promise<Item | undefined> | Item | undefined {
    if (this.#position === this.#rows.rowCount) {
      const filled = this.#fill(left, this.#rowsAtOnce)
      if (filled instanceof Promise) return filled.then((hasMore) => (hasMore ? this.#take() : undefined))
      if (!filled) return undefined
    }
    return this.#take()
  }

  /** At most `size` items; none after the last one. */
  async nextv(size: number, left: number): Promise<Item[]> {
    const items: Item[] = []
    for (;;) {
      while (items.length < size && this.#position < this.#rows.rowCount) items.push(this.#take())
      if (items.length >= size) return items
      const filled = this.#fill(left - items.length, Math.min(rowsAtOnceMax, size - items.length))
      if (!(filled instanceof Promise ? await filled : filled)) return items
    }
  }

  seek(target: Uint8Array): void {
    const { range, reverse } = this.#options
    this.#end()
    this.#range = rangeFrom(range, target, reverse)
  }

  close(): void {
    this.#end()
    if (this.#options.ownsSnapshot) this.#options.snapshot.release()
  }

  #take(): Item {
    return this.#options.show(this.#rows.columns, this.#position++)
  }

  /** Brings the next rows; whether there are any. */
  #fill(left: number, rowsAtOnce: number): boolean | Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure.cause
    if (this.#range === undefined) return false
    try {
      this.#reading ??= this.#open(this.#range, left)
      this.#rowsAtOnce = Math.min(rowsAtOnceMax, 2 * this.#rowsAtOnce)
      const rows = this.#reading.next(rowsAtOnce)
      // Who gives a signal may use it as soon as the call has returned.
      if (rows instanceof Promise || this.#options.signal !== undefined) return Promise.resolve(rows).then((read) => this.#enter(read), (cause: unknown) => this.#fail(cause))
      return this.#enter(rows)
    } catch (cause) {
      return this.#fail(cause)
    }
  }

  #enter(rows: ReadColumns | undefined): boolean {
    const { signal } = this.#options
    if (signal?.aborted === true) return this.#fail(signal.reason)
    this.#rows = rows ?? noRows
    this.#position = 0
    if (rows === undefined) this.#range = undefined
    return rows !== undefined
  }

  #fail(cause: unknown): never {
    this.#end()
    this.#failure = { cause: this.#options.signal?.aborted === true ? new AbortError(cause) : cause }
    throw this.#failure.cause
  }

  #open(range: ByteRange, left: number): KeyCursor {
    const { table, snapshot, reverse, columns, asText, signal } = this.#options
    return table.cursor({ ...range, snapshot, reverse, columns, asText, ...(left < Number.POSITIVE_INFINITY && { limit: left }), ...(signal && { signal }) })
  }

  #end(): void {
    // A snapshot is released with the last read of it, so there is nothing to wait for.
    void this.#reading?.close()
    this.#reading = undefined
    this.#range = undefined
    this.#failure = undefined
    this.#rows = noRows
    this.#position = 0
  }
}
