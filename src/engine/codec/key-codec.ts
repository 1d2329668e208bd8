/**
 * Primary-key bytes: unsigned byte order is key order. The forms are drawn in src/kernel/row.ts (a key of one i64 or
 * bytes column) and src/lsm/layout.ts (composite). Every bytes column of a composite key ends in a terminator that
 * sorts below all it could go on with, so a prefix of the key's columns is a prefix of its bytes, and the successor
 * of all keys that start so is that prefix plus one.
 */
import { LsmtError } from '../../errors.ts'
import type { PhysicalKind } from '../../lsm/layout.ts'
import { checkValue } from '../check-value.ts'
import type { EngineValue, KeyBound } from '../engine.ts'
import { physicalKind } from '../schema.ts'
import type { TableSchema } from '../schema.ts'
import { writeOrderedF64, writeOrderedI64 } from './byte-target.ts'
import type { ByteTarget } from './byte-target.ts'
import { shortTextMax, textBytesMax, writeShortAscii, writeText } from './text-bytes.ts'

/** How a table's keys are written; made once a table. */
export interface KeyCodec {
  readonly table: TableSchema
  readonly kinds: readonly PhysicalKind[]
  readonly form: 'i64' | 'bytes' | 'composite'
  /** A short text of ASCII is a key as it stands: there is nothing to be checked. */
  readonly takesShortText: boolean
}

export function keyCodec(table: TableSchema): KeyCodec {
  const kinds = table.primaryKey.map((ordinal) => physicalKind(table.columns[ordinal]!.type))
  const [only] = kinds, form = kinds.length === 1 && (only === 'i64' || only === 'bytes') ? only : 'composite'
  const { type } = table.columns[table.primaryKey[0]!]!
  return { table, kinds, form, takesShortText: form === 'bytes' && type.kind === 'text' && (type.lengthMax ?? shortTextMax) >= shortTextMax }
}

/** Key values as a key or bound gives them (in key order), checked against their columns. BYTEA columns of `asText` may be given as text. */
export function checkKey(codec: KeyCodec, values: readonly EngineValue[], asText?: ReadonlySet<number>): readonly EngineValue[] {
  const { primaryKey, columns, name } = codec.table
  if (values.length !== primaryKey.length) throw new LsmtError('42804', `the key of table "${name}" has ${primaryKey.length} columns, ${values.length} values were given`)
  let checked = values
  for (let i = 0; i < values.length; i++) {
    const ordinal = primaryKey[i]!
    // Half a surrogate pair is refused where it is written.
    if (asText !== undefined && typeof values[i] === 'string' && asText.has(ordinal) && columns[ordinal]!.type.kind === 'bytea') continue
    const accepted = checkValue(codec.table, columns[ordinal]!, values[i]!)
    if (!Object.is(accepted, values[i])) checked = checked.with(i, accepted)
  }
  return checked
}

/** Upper bound of the bytes of a key whose i-th value is `values[ordinals[i]]`. */
export function keyBytesMax(values: readonly EngineValue[], ordinals: readonly number[]): number {
  let bytes = 0
  for (let i = 0; i < ordinals.length; i++) {
    const value = values[ordinals[i]!]
    if (typeof value === 'string') bytes += textBytesMax(value) * 2 + 2
    else if (value instanceof Uint8Array) bytes += value.length * 2 + 2
    else bytes += 8
  }
  return bytes
}

/** Writes the key whose i-th value is `values[ordinals[i]]` at `at`; returns its bytes. */
export function writeKey(codec: KeyCodec, target: ByteTarget, at: number, values: readonly EngineValue[], ordinals: readonly number[]): number {
  switch (codec.form) {
    case 'i64':
      writeOrderedI64(target.view, at, values[ordinals[0]!] as number | bigint)
      return 8
    case 'bytes':
      return writeBytes(target, at, values[ordinals[0]!] as string | Uint8Array)
    case 'composite':
      return writeColumns(codec, target, at, values, ordinals)
  }
}

function writeColumns(codec: KeyCodec, target: ByteTarget, from: number, values: readonly EngineValue[], ordinals: readonly number[]): number {
  let at = from
  for (let i = 0; i < ordinals.length; i++) {
    const value = values[ordinals[i]!]!
    switch (codec.kinds[i]!) {
      case 'i64':
        writeOrderedI64(target.view, at, value as number | bigint)
        at += 8
        break
      case 'f64':
        writeOrderedF64(target.view, at, value as number)
        at += 8
        break
      case 'bytes':
        at += writeTerminated(target.buffer, at, writeBytes(target, at, value as string | Uint8Array))
        break
    }
  }
  return at - from
}

function writeBytes(target: ByteTarget, at: number, value: string | Uint8Array): number {
  if (typeof value === 'string') return writeText(target.buffer, at, value)
  target.buffer.set(value, at)
  return value.length
}

/** Escapes the `byteLength` bytes at `at` in place, from the back, and ends them; returns the bytes they take now. */
function writeTerminated(buffer: Buffer, at: number, byteLength: number): number {
  let zeros = 0
  for (let i = at; i < at + byteLength; i++) if (buffer[i] === 0) zeros++
  let to = at + byteLength + zeros
  buffer[to] = 0
  buffer[to + 1] = 1
  const end = to + 2
  for (let from = at + byteLength; zeros > 0; ) {
    const byte = buffer[--from]!
    if (byte === 0) {
      buffer[--to] = 0xff
      zeros--
    }
    buffer[--to] = byte
  }
  return end - at
}

/** A range of key bytes: from inclusive, to exclusive; absent = open. 'empty' when no key can lie in it. */
export type KeyRange = { readonly lower: Uint8Array | undefined; readonly upper: Uint8Array | undefined } | 'empty'

/** The bytes between two bounds. */
export function keyRange(codec: KeyCodec, lower: KeyBound | undefined, upper: KeyBound | undefined): KeyRange {
  const from = lower === undefined || lower.values.length === 0 ? openEnd(lower, true) : edge(codec, lower.values, !lower.inclusive)
  const to = upper === undefined || upper.values.length === 0 ? openEnd(upper, false) : edge(codec, upper.values, upper.inclusive)
  if (from === 'after all') return 'empty'
  if (to === 'before all') return 'empty'
  const start = from === 'before all' ? undefined : from
  const end = to === 'after all' ? undefined : to
  return start !== undefined && end !== undefined && Buffer.compare(start, end) >= 0 ? 'empty' : { lower: start, upper: end }
}

type Edge = Uint8Array | 'before all' | 'after all'

/** A bound without values: all keys start with it. */
function openEnd(bound: KeyBound | undefined, isLower: boolean): Edge {
  const takesAll = bound === undefined || bound.inclusive
  return takesAll === isLower ? 'before all' : 'after all'
}

/** Bytes before (or after) all keys that start with `values`. */
function edge(codec: KeyCodec, values: readonly EngineValue[], after: boolean): Edge {
  const bytes = shortKey(codec, values) ?? prefixBytes(codec, values)
  if (!after) return bytes
  if (codec.form === 'bytes') return Buffer.concat([bytes, Buffer.from([0])])
  return successor(bytes)
}

/** The bytes of a key that is a short text of ASCII: so small an array takes a fraction of the time of any other. */
function shortKey({ takesShortText }: KeyCodec, values: readonly EngineValue[]): Uint8Array | undefined {
  const [only] = values
  if (!takesShortText || values.length !== 1 || typeof only !== 'string' || only.length > shortTextMax) return undefined
  const bytes = new Uint8Array(only.length)
  return writeShortAscii(bytes, 0, only) ? bytes : undefined
}

function prefixBytes(codec: KeyCodec, values: readonly EngineValue[]): Buffer {
  const { table, kinds } = codec
  if (values.length > kinds.length) throw new LsmtError('42804', `the key of table "${table.name}" has ${kinds.length} columns, a bound has ${values.length} values`)
  const checked = values.map((value, i) => checkValue(table, table.columns[table.primaryKey[i]!]!, value))
  const ordinals = checked.map((_, i) => i)
  const buffer = Buffer.alloc(keyBytesMax(checked, ordinals))
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  return buffer.subarray(0, writeKey(codec, { buffer, view }, 0, checked, ordinals))
}

/** Bytes of the same length above all keys that start with `bytes`, and below or at every other key above them. */
function successor(bytes: Uint8Array): Edge {
  const next = Buffer.from(bytes)
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i]! < 0xff) {
      next[i]!++
      return next
    }
    next[i] = 0
  }
  return 'after all'
}
