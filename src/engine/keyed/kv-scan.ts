/** Scans by row, made of a cursor's columns. */
import { objectsOf, ordinalsOf } from './kv-codec.ts'
import type { Codec, UserRow } from './kv-codec.ts'
import { openKeyCursor } from './kv-cursor.ts'
import type { ReadColumns } from './kv-cursor.ts'
import type { KeyedEngine, KeyScanOptions } from './keyed-engine.ts'

export interface RowBatches {
  /** The next rows; undefined at the end. */
  next(): readonly UserRow[] | undefined | Promise<readonly UserRow[] | undefined>
  close(): Promise<void> | undefined
}

/** Batches grow, so that a scan that is left early has made few rows. */
const firstRowsAtOnce = 32, rowsAtOnceMax = 1024

export function openRowBatches(engine: KeyedEngine, codec: Codec, options: KeyScanOptions): RowBatches {
  const cursor = openKeyCursor(engine, codec, options)
  const objects = objectsOf(codec, ordinalsOf(codec, options.columns))
  // Who says how many rows are wanted mostly takes them all.
  let rowsAtOnce = options.limit ?? firstRowsAtOnce
  const show = (read: ReadColumns | undefined): readonly UserRow[] | undefined => read && objects.ofColumns(read.columns, read.rowCount)
  return {
    next() {
      const read = cursor.next(Math.min(rowsAtOnceMax, Math.max(1, rowsAtOnce)))
      rowsAtOnce *= 2
      return read instanceof Promise ? read.then(show) : show(read)
    },
    close: cursor.close,
  }
}

/**
 * An async generator of rows, written out: what the language makes of `yield` takes three turns of promises for each row,
 * and this one. It begins with the first row that is asked for; requests that are made before others have ended wait for those.
 */
export class RowScan implements AsyncGenerator<UserRow> {
  readonly #open: () => RowBatches
  #batches: RowBatches | undefined
  #rows: readonly UserRow[] = []
  #position = 0
  #isEnded = false
  #running: Promise<unknown> | undefined

  constructor(open: () => RowBatches) {
    this.#open = open
  }

  next(): Promise<IteratorResult<UserRow, undefined>> {
    if (this.#running === undefined && this.#position < this.#rows.length) return Promise.resolve({ done: false, value: this.#rows[this.#position++]! })
    return this.#inTurn(() => this.#advance())
  }

  return(): Promise<IteratorResult<UserRow, undefined>> {
    return this.#inTurn(async () => {
      await this.#end()
      return { done: true, value: undefined }
    })
  }

  throw(error: unknown): Promise<IteratorResult<UserRow, undefined>> {
    return this.#inTurn(async () => {
      await this.#end()
      throw error
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const outcome = this.#running === undefined ? step() : this.#running.then(step, step)
    const settle = (): void => {
      if (this.#running === outcome) this.#running = undefined
    }
    this.#running = outcome
    // Before whoever asked goes on, who then need not wait again.
    outcome.then(settle, settle)
    return outcome
  }

  async #advance(): Promise<IteratorResult<UserRow, undefined>> {
    while (this.#position === this.#rows.length) {
      if (this.#isEnded) return { done: true, value: undefined }
      try {
        this.#batches ??= this.#open()
        this.#rows = (await this.#batches.next()) ?? []
      } catch (error) {
        await this.#end()
        throw error
      }
      this.#position = 0
      if (this.#rows.length === 0) await this.#end()
    }
    return { done: false, value: this.#rows[this.#position++]! }
  }

  async #end(): Promise<void> {
    this.#isEnded = true
    this.#rows = []
    this.#position = 0
    await this.#batches?.close()
  }
}
