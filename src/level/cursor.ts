/**
 * What an iterator reads: rows of one snapshot, a batch at a time, from which `next()` is served. A seek goes on with
 * another scan of the same snapshot.
 */
import type { UserRow } from '../engine/keyed/kv-codec.ts'
import type { KeyedTable } from '../engine/keyed/kv-table.ts'
import type { ReadSnapshot } from '../engine/keyed/read-snapshot.ts'
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
  readonly show: (row: UserRow) => Item
  readonly signal: AbortSignal | undefined
}

const noRows: readonly UserRow[] = []

export class Cursor<Item> {
  readonly #options: CursorOptions<Item>
  /** What is still to be read; undefined when nothing is. */
  #range: ByteRange | undefined
  #scan: AsyncGenerator<readonly UserRow[]> | undefined
  /** The end of the scan before a seek. */
  #ending: Promise<unknown> | undefined
  /** Why the scan ended early: asked again, it must not look like the end of the data. */
  #failure: { readonly cause: unknown } | undefined
  #rows = noRows
  #position = 0

  constructor(options: CursorOptions<Item>) {
    this.#options = options
    this.#range = options.range
  }

  /** `left` is how many items may still be asked for, here and below; undefined after the last one. */
  async next(left: number): Promise<Item | undefined> {
    if (this.#position === this.#rows.length && !(await this.#fill(left))) return undefined
    return this.#options.show(this.#rows[this.#position++]!)
  }

  /** At most `size` items; none after the last one. */
  async nextv(size: number, left: number): Promise<Item[]> {
    const items: Item[] = []
    while (items.length < size && (this.#position < this.#rows.length || (await this.#fill(left - items.length)))) this.#takeInto(items, size)
    return items
  }

  seek(target: Uint8Array): void {
    const { range, reverse } = this.#options
    this.#end()
    this.#range = rangeFrom(range, target, reverse)
  }

  async close(): Promise<void> {
    this.#end()
    await this.#ending
    if (this.#options.ownsSnapshot) this.#options.snapshot.release()
  }

  #takeInto(items: Item[], size: number): void {
    const { show } = this.#options
    const end = Math.min(this.#rows.length, this.#position + size - items.length)
    while (this.#position < end) items.push(show(this.#rows[this.#position++]!))
  }

  /** Brings the next batch; whether there is one. */
  async #fill(left: number): Promise<boolean> {
    const { signal } = this.#options
    await this.#ending
    this.#ending = undefined
    if (this.#failure !== undefined) throw this.#failure.cause
    if (this.#range === undefined) return false
    this.#scan ??= this.#openScan(this.#range, left)
    try {
      const { done, value } = await this.#scan.next()
      if (signal?.aborted === true) throw signal.reason
      this.#rows = done === true ? noRows : value
      this.#position = 0
      if (done === true) this.#range = undefined
      return done !== true
    } catch (cause) {
      this.#end()
      this.#failure = { cause: signal?.aborted === true ? new AbortError(cause) : cause }
      throw this.#failure.cause
    }
  }

  #openScan(range: ByteRange, left: number): AsyncGenerator<readonly UserRow[]> {
    const { table, snapshot, reverse, columns, asText, signal } = this.#options
    return table.scanBatches({ ...range, snapshot, reverse, columns, asText, ...(left < Number.POSITIVE_INFINITY && { limit: left }), ...(signal && { signal }) })
  }

  #end(): void {
    this.#ending = this.#scan?.return(undefined) ?? this.#ending
    this.#scan = undefined
    this.#range = undefined
    this.#failure = undefined
    this.#rows = noRows
    this.#position = 0
  }
}
