/** The three iterators of abstract-level. Theirs are the public methods with their checks; here is what reads, by a cursor. */
import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from 'abstract-level'
import type { AbstractLevel, AbstractSnapshot } from 'abstract-level'
import type { UserValue } from '../engine/user-value.ts'
import { Cursor } from './cursor.ts'
import type { CursorOptions, LevelColumn } from './cursor.ts'
import { bytesOf, formatted } from './format.ts'
import type { Format, Formatted } from './format.ts'
import { viewOf } from './level-snapshot.ts'
import type { LevelStore } from './level-store.ts'
import { byteRange } from './range.ts'
import type { LevelRange } from './range.ts'

/** The options as the private interface gets them: bounds encoded, encodings as formats. */
export interface IteratorOptions extends LevelRange {
  readonly reverse: boolean
  readonly keys?: boolean
  readonly values?: boolean
  readonly keyEncoding: Format
  readonly valueEncoding: Format
  readonly snapshot?: AbstractSnapshot | null
  readonly signal?: AbortSignal | null
}

type Entry = [Formatted | undefined, Formatted | undefined]

/** Any of its type parameters would do: items are decoded by the base class. */
type AnyLevel = AbstractLevel<Formatted, unknown, unknown>

export class EntryIterator extends AbstractIterator<AnyLevel, unknown, unknown> {
  readonly #cursor: Cursor<Entry>

  constructor(db: AnyLevel, store: LevelStore, options: IteratorOptions) {
    super(db, options as object)
    const { keys, values } = options
    const columns = [...(keys === false ? [] : ['key' as const]), ...(values === false ? [] : ['value' as const])]
    const key = keys === false ? absent : shownAs(options.keyEncoding), value = values === false ? absent : shownAs(options.valueEncoding)
    const valueColumn = columns.length - 1
    this.#cursor = new Cursor({ ...cursorOptions(store, options), asText: textColumns(options), columns, show: (read, row): Entry => [key(read[0]?.[row]), value(read[valueColumn]?.[row])] })
  }

  async _next(): Promise<Entry | undefined> {
    return await this.#cursor.next(this.limit - this.count)
  }

  async _nextv(size: number): Promise<Entry[]> {
    return this.#cursor.nextv(size, this.limit - this.count)
  }

  async _all(): Promise<Entry[]> {
    return this._nextv(this.limit - this.count)
  }

  _seek(target: Formatted): void {
    this.#cursor.seek(bytesOf(target))
  }

  async _close(): Promise<void> {
    this.#cursor.close()
  }
}

export class KeyIterator extends AbstractKeyIterator<AnyLevel, unknown> {
  readonly #cursor: Cursor<Formatted>

  constructor(db: AnyLevel, store: LevelStore, options: IteratorOptions) {
    super(db, options as object)
    this.#cursor = new Cursor({ ...cursorOptions(store, options), asText: textColumns(options), columns: ['key'], show: shownColumn(options.keyEncoding) })
  }

  async _next(): Promise<Formatted | undefined> {
    return await this.#cursor.next(this.limit - this.count)
  }

  async _nextv(size: number): Promise<Formatted[]> {
    return this.#cursor.nextv(size, this.limit - this.count)
  }

  async _all(): Promise<Formatted[]> {
    return this._nextv(this.limit - this.count)
  }

  _seek(target: Formatted): void {
    this.#cursor.seek(bytesOf(target))
  }

  async _close(): Promise<void> {
    this.#cursor.close()
  }
}

export class ValueIterator extends AbstractValueIterator<AnyLevel, unknown, unknown> {
  readonly #cursor: Cursor<Formatted>

  constructor(db: AnyLevel, store: LevelStore, options: IteratorOptions) {
    super(db, options as object)
    this.#cursor = new Cursor({ ...cursorOptions(store, options), asText: textColumns(options), columns: ['value'], show: shownColumn(options.valueEncoding) })
  }

  async _next(): Promise<Formatted | undefined> {
    return await this.#cursor.next(this.limit - this.count)
  }

  async _nextv(size: number): Promise<Formatted[]> {
    return this.#cursor.nextv(size, this.limit - this.count)
  }

  async _all(): Promise<Formatted[]> {
    return this._nextv(this.limit - this.count)
  }

  _seek(target: Formatted): void {
    this.#cursor.seek(bytesOf(target))
  }

  async _close(): Promise<void> {
    this.#cursor.close()
  }
}

/** The snapshot is taken now, whenever the first item is asked for. */
export function cursorOptions(store: LevelStore, options: Pick<IteratorOptions, 'reverse' | 'snapshot' | 'signal'> & LevelRange): Omit<CursorOptions<never>, 'columns' | 'asText' | 'show'> {
  const given = viewOf(options.snapshot)
  return { table: store.table, snapshot: given ?? store.snapshot(), ownsSnapshot: given === undefined, range: byteRange(options), reverse: options.reverse, signal: options.signal ?? undefined }
}

function textColumns({ keyEncoding, valueEncoding }: IteratorOptions): readonly LevelColumn[] {
  return [...(keyEncoding === 'utf8' ? ['key' as const] : []), ...(valueEncoding === 'utf8' ? ['value' as const] : [])]
}

type Show = (value: UserValue | undefined) => Formatted | undefined

const absent: Show = () => undefined

/** Bytes come as text where that is wanted. */
function shownAs(format: Format): Show {
  return format === 'utf8' ? (value) => value as string : (value) => formatted(format, value as Uint8Array)
}

function shownColumn(format: Format): CursorOptions<Formatted>['show'] {
  const show = shownAs(format)
  return (columns, row) => show(columns[0]![row])!
}
