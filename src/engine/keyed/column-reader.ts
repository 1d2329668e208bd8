/** Reads of one column by key, over and over: all that does not depend on the key is looked up once a version of the catalog. */
import { LsmtError } from '../../errors.ts'
import type { EngineRow, EngineValue, RowsByKey } from '../engine.ts'
import type { UserValue } from '../user-value.ts'
import { checkOptions } from './given.ts'
import { engineKey, ordinalsOf } from './kv-codec.ts'
import type { Codec, UserKey } from './kv-codec.ts'
import type { KeyedEngine } from './keyed-engine.ts'
import { readWithin } from './read-snapshot.ts'
import type { ReadSnapshot } from './read-snapshot.ts'

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
}

interface Prepared {
  readonly codec: Codec
  readonly rows: RowsByKey
  readonly toUser: (value: EngineValue) => UserValue
}

export function openColumnReader(engine: KeyedEngine, current: () => Codec, column: string, options: ColumnReaderOptions = {}): ColumnReader {
  checkOptions(options, ['asText', 'keyFromText'], 'the options of a reader')
  const { keyFromText = false } = options
  let prepared = prepare(engine, current(), column, options)

  function read(key: UserKey, snapshot: ReadSnapshot | undefined): EngineRow | undefined | Promise<EngineRow | undefined> {
    const codec = current()
    if (codec !== prepared.codec) prepared = prepare(engine, codec, column, options)
    const { rows } = prepared
    const values = keyFromText && typeof key === 'string' ? [wellFormed(key)] : engineKey(codec, key)
    return snapshot === undefined ? rows.get(undefined, values) : readWithin(engine, snapshot, (below) => rows.get(below, values))
  }
  const shown = (row: EngineRow | undefined): UserValue | undefined => row && prepared.toUser(row[0]!)

  return {
    getSync(key, snapshot) {
      const row = read(key, snapshot)
      if (row instanceof Promise) throw notAtOnce(row)
      return shown(row)
    },
    async get(key, snapshot) {
      const row = read(key, snapshot)
      return shown(row instanceof Promise ? await row : row)
    },
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
