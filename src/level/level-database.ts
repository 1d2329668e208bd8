/**
 * A database of the Level family (https://github.com/Level/abstract-level) over a keyed table. The base class has the
 * public interface (encodings, sublevels, hooks, events, deferred opening, chained batches); the methods with an underscore are the
 * private one, which it calls with encoded keys and values. It is a class, and inherits, because that interface is one.
 */
import { AbstractLevel } from 'abstract-level'
import type { AbstractDatabaseOptions, AbstractSnapshot } from 'abstract-level'
import type { BatchOperation } from '../engine/keyed/kv-table.ts'
import type { ColumnReader } from '../engine/keyed/column-reader.ts'
import type { UserValue } from '../engine/user-value.ts'
import { invariant } from '../errors.ts'
import { Cursor } from './cursor.ts'
import { bytesOf, formatted } from './format.ts'
import type { Format, Formatted } from './format.ts'
import { cursorOptions, EntryIterator, KeyIterator, ValueIterator } from './iterators.ts'
import type { IteratorOptions } from './iterators.ts'
import { LevelSnapshot, viewOf } from './level-snapshot.ts'
import type { LevelOpenOptions, LevelStore, OpenLevelStore } from './level-store.ts'
import { byteRange } from './range.ts'
import type { LevelRange } from './range.ts'

const manifest = {
  encodings: { utf8: true, buffer: true, view: true },
  implicitSnapshots: true,
  explicitSnapshots: true,
  has: true,
  getSync: true,
  seek: true,
  permanence: true,
  createIfMissing: true,
  errorIfExists: true,
  signals: { iterators: true },
}

interface ReadOptions {
  readonly valueEncoding: Format
  readonly snapshot?: AbstractSnapshot | null
}

interface ClearOptions extends LevelRange {
  readonly reverse: boolean
  /** -1: all. */
  readonly limit: number
  readonly snapshot?: AbstractSnapshot | null
}

type Operation = { readonly type: 'put'; readonly key: Formatted; readonly value: Formatted } | { readonly type: 'del'; readonly key: Formatted }

/** Entries deleted as one statement where a range cannot be. */
const clearedAtOnce = 1_000

export class LevelDatabase<KDefault = string, VDefault = string> extends AbstractLevel<Formatted, KDefault, VDefault> {
  readonly #openStore: OpenLevelStore
  #opened: LevelStore | undefined
  #readers: { readonly text: ColumnReader; readonly bytes: ColumnReader } | undefined

  constructor(openStore: OpenLevelStore, options: AbstractDatabaseOptions<KDefault, VDefault>) {
    super({ ...manifest }, options)
    this.#openStore = openStore
  }

  get #store(): LevelStore {
    invariant(this.#opened !== undefined, 'a level is used before it is open')
    return this.#opened
  }

  async _open({ createIfMissing, errorIfExists }: LevelOpenOptions): Promise<void> {
    const store = await this.#openStore({ createIfMissing, errorIfExists })
    this.#readers = { text: store.table.reader('value', { asText: true, keyFromText: true }), bytes: store.table.reader('value', { keyFromText: true }) }
    this.#opened = store
  }

  async _close(): Promise<void> {
    await this.#store.close()
    this.#opened = undefined
    this.#readers = undefined
  }

  async _get(key: Formatted, options: ReadOptions): Promise<Formatted | undefined> {
    return shown(options, await this.#readerOf(options).get(key, viewOf(options.snapshot)))
  }

  _getSync(key: Formatted, options: ReadOptions): Formatted | undefined {
    return shown(options, this.#readerOf(options).getSync(key, viewOf(options.snapshot)))
  }

  /** Text is decoded where the bytes stand: out of bytes of its own it takes ten times as long. */
  #readerOf({ valueEncoding }: ReadOptions): ColumnReader {
    invariant(this.#readers !== undefined, 'a level is used before it is open')
    return valueEncoding === 'utf8' ? this.#readers.text : this.#readers.bytes
  }

  async _getMany(keys: readonly Formatted[], options: ReadOptions): Promise<(Formatted | undefined)[]> {
    const values = await this.#readerOf(options).getMany(keys, viewOf(options.snapshot))
    return values.map((value) => shown(options, value))
  }

  async _has(key: Formatted, { snapshot }: Pick<ReadOptions, 'snapshot'>): Promise<boolean> {
    const view = viewOf(snapshot)
    return (await this.#store.table.get(bytesOf(key), { columns: [], ...(view && { snapshot: view }) })) !== undefined
  }

  async _hasMany(keys: readonly Formatted[], options: Pick<ReadOptions, 'snapshot'>): Promise<boolean[]> {
    return this.#ofOneSnapshot(options, (snapshot) => Promise.all(keys.map((key) => this._has(key, { snapshot }))))
  }

  _put(key: Formatted, value: Formatted): Promise<void> {
    return this.#store.table.put({ key: bytesOf(key), value: bytesOf(value) })
  }

  async _del(key: Formatted): Promise<void> {
    await this.#store.table.delete(bytesOf(key))
  }

  async _batch(operations: readonly Operation[]): Promise<void> {
    if (operations.length >= byColumnMin && operations.every(isPut)) return this.#store.table.putColumns({ key: operations.map(keyOf), value: operations.map(({ value }) => value) }, anyText)
    await this.#store.table.batch(operations.map((operation): BatchOperation => (operation.type === 'put' ? { put: { key: bytesOf(operation.key), value: bytesOf(operation.value) } } : { delete: bytesOf(operation.key) })))
  }

  /** A range is one atomic statement; so many entries, or those of a snapshot, are deleted in several. */
  async _clear(options: ClearOptions): Promise<void> {
    const { limit, snapshot } = options
    if (limit < 0 && viewOf(snapshot) === undefined) return this.#store.table.deleteRange(byteRange(options))
    const cursor = new Cursor({ ...cursorOptions(this.#store, options), columns: ['key'], asText: [], show: ([keys], row): BatchOperation => ({ delete: keys![row]! }) })
    try {
      for (let left = limit < 0 ? Number.POSITIVE_INFINITY : limit; left > 0; ) {
        const deletes = await cursor.nextv(Math.min(left, clearedAtOnce), left)
        if (deletes.length === 0) return
        left -= deletes.length
        await this.#store.table.batch(deletes)
      }
    } finally {
      cursor.close()
    }
  }

  _iterator(options: IteratorOptions): EntryIterator {
    return new EntryIterator(this as AbstractLevel<Formatted, unknown, unknown>, this.#store, options)
  }

  _keys(options: IteratorOptions): KeyIterator {
    return new KeyIterator(this as AbstractLevel<Formatted, unknown, unknown>, this.#store, options)
  }

  _values(options: IteratorOptions): ValueIterator {
    return new ValueIterator(this as AbstractLevel<Formatted, unknown, unknown>, this.#store, options)
  }

  _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(options, this.#store.snapshot())
  }

  /** Several reads see one state, also when none was asked for. */
  async #ofOneSnapshot<T>({ snapshot }: Pick<ReadOptions, 'snapshot'>, read: (snapshot: AbstractSnapshot) => Promise<T>): Promise<T> {
    if (snapshot !== undefined && snapshot !== null) return read(snapshot)
    const own = new LevelSnapshot({ owner: this }, this.#store.snapshot())
    try {
      return await read(own)
    } finally {
      await own.close()
    }
  }
}

/** Many entries go by column: texts are encoded where the batch is made, and nothing is made for each entry. */
const byColumnMin = 32
const anyText = { fromText: ['key', 'value'] }

const isPut = (operation: Operation): operation is Extract<Operation, { readonly type: 'put' }> => operation.type === 'put'
const keyOf = ({ key }: Operation): Formatted => key

function shown({ valueEncoding }: ReadOptions, value: UserValue | undefined): Formatted | undefined {
  return value === undefined ? undefined : formatted(valueEncoding, value as Formatted)
}
