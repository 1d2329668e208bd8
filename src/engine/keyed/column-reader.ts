/** Reads of one column by key, over and over: all that does not depend on the key is looked up once a version of the catalog. */
import { LsmtError } from '../../errors.ts'
import type { EngineValue, RowsByKey } from '../engine.ts'
import type { UserValue } from '../user-value.ts'
import { checkList, checkOptions } from './given.ts'
import { engineKey, ordinalsOf } from './kv-codec.ts'
import type { Codec, UserKey } from './kv-codec.ts'
import type { KeyedEngine } from './keyed-engine.ts'
import { ReadSnapshot, readWithin } from './read-snapshot.ts'

export interface ColumnReaderOptions {
  /** Values of a BYTEA column are given as text: UTF-8, with U+FFFD for what is none. */
  readonly asText?: boolean
  /** Keys of one BYTEA column may be given as text, too, of which they are the UTF-8 (U+FFFD for half a surrogate pair). */
  readonly keyFromText?: boolean
}

/** The quickest way to read by key: it gives the value, not a row. */
export interface ColumnReader {
  /** undefined where there is no row. 0A000 where the storage cannot answer at once (a bucket). */
  getSync(key: UserKey, snapshot?: ReadSnapshot): UserValue | undefined
  get(key: UserKey, snapshot?: ReadSnapshot): Promise<UserValue | undefined>
  /** Of several keys, by key and of one moment: quicker than one after the other, since what they need of memory or storage is waited for together. */
  getMany(keys: readonly UserKey[], snapshot?: ReadSnapshot): Promise<(UserValue | undefined)[]>
}

interface Prepared {
  readonly codec: Codec
  readonly rows: RowsByKey
  readonly toUser: (value: EngineValue) => UserValue
}

export function openColumnReader(engine: KeyedEngine, current: () => Codec, column: string, options: ColumnReaderOptions = {}): ColumnReader {
  checkOptions(options, ['asText', 'keyFromText'], 'the options of a reader')
  return new PreparedReader(engine, current, column, options)
}

/** A class, as all is by which single rows are read. */
class PreparedReader implements ColumnReader {
  private readonly engine: KeyedEngine
  private readonly current: () => Codec
  private readonly column: string
  private readonly options: ColumnReaderOptions
  private prepared: Prepared

  constructor(engine: KeyedEngine, current: () => Codec, column: string, options: ColumnReaderOptions) {
    this.engine = engine
    this.current = current
    this.column = column
    this.options = options
    this.prepared = prepare(engine, current(), column, options)
  }

  getSync(key: UserKey, snapshot?: ReadSnapshot): UserValue | undefined {
    const value = this.read(key, snapshot)
    if (value instanceof Promise) throw notAtOnce(value)
    return value
  }

  async get(key: UserKey, snapshot?: ReadSnapshot): Promise<UserValue | undefined> {
    return this.read(key, snapshot)
  }

  async getMany(keys: readonly UserKey[], snapshot?: ReadSnapshot): Promise<(UserValue | undefined)[]> {
    checkList(keys, 'the keys of getMany')
    const { rows, toUser } = this.ready()
    const found = snapshot === undefined ? rows.valuesAtHand?.(keys) : undefined
    if (found === undefined || found.includes(false)) return this.readMany(keys, found, snapshot)
    return found.map((value) => (value === undefined ? undefined : toUser(value as EngineValue)))
  }

  /** Those that are not among `found`. Begun in the turn in which these were found, it sees what they were found in. */
  private async readMany(keys: readonly UserKey[], found: readonly (EngineValue | undefined | false)[] | undefined, given: ReadSnapshot | undefined): Promise<(UserValue | undefined)[]> {
    const own = given === undefined ? new ReadSnapshot(this.engine) : undefined, { toUser } = this.ready()
    try {
      return await Promise.all(keys.map(async (key, i) => {
        const value = found === undefined ? false : found[i]
        return value === false ? this.read(key, given ?? own) : value === undefined ? undefined : toUser(value)
      }))
    } finally {
      own?.release()
    }
  }

  private ready(): Prepared {
    const codec = this.current()
    return codec === this.prepared.codec ? this.prepared : (this.prepared = prepare(this.engine, codec, this.column, this.options))
  }

  private read(key: UserKey, snapshot: ReadSnapshot | undefined): UserValue | undefined | Promise<UserValue | undefined> {
    const { codec, rows, toUser } = this.ready()
    if (typeof key === 'string' && snapshot === undefined && rows.valueAtHand !== undefined) {
      const value = rows.valueAtHand(key)
      if (value !== false) return value === undefined ? undefined : toUser(value)
    }
    const values = this.options.keyFromText === true && typeof key === 'string' ? [wellFormed(key)] : engineKey(codec, key)
    const row = snapshot === undefined ? rows.get(undefined, values) : readWithin(this.engine, snapshot, (below) => rows.get(below, values))
    return row instanceof Promise ? row.then((found) => found && toUser(found[0]!)) : row && toUser(row[0]!)
  }
}

/** 42703 for a column that is not there, 22023 for a key that is not of one BYTEA column where it is to be given as text. */
function prepare(engine: KeyedEngine, codec: Codec, column: string, { asText = false, keyFromText = false }: ColumnReaderOptions): Prepared {
  const { columns, primaryKey, name } = codec.table
  const ordinals = ordinalsOf(codec, [column]), ordinal = ordinals[0]!
  if (keyFromText && (primaryKey.length !== 1 || columns[primaryKey[0]!]!.type.kind !== 'bytea')) throw new LsmtError('22023', `the key of table "${name}" is not one BYTEA column, so it cannot be made of text`)
  const texts = [...(asText ? ordinals : []), ...(keyFromText ? primaryKey : [])]
  const isKeyAsBytes = keyFromText && !asText && primaryKey[0] === ordinal
  return { codec, rows: engine.rowsByKey(codec.table, ordinals, texts.length === 0 ? undefined : new Set(texts)), toUser: isKeyAsBytes ? bytesOf : codec.toUser[ordinal]! }
}

const bytesOf = (value: EngineValue): UserValue => (typeof value === 'string' ? Buffer.from(value) : value)

const wellFormed = (text: string): string | Uint8Array => ((text as string & { isWellFormed(): boolean }).isWellFormed() ? text : Buffer.from(text))

export function notAtOnce(pending: Promise<unknown>): LsmtError {
  // Its outcome has no taker any more.
  pending.catch(() => {})
  return new LsmtError('0A000', 'the row must be fetched from storage that cannot be read at once', { hint: 'use get() and await it' })
}
