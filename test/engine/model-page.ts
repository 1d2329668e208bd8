/** Rows of a model tree: decoded from key and row bytes plainly, and written as pages. */
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { keyForm, valueOrdinals } from '../../src/lsm/layout.ts'
import type { TableLayout } from '../../src/lsm/layout.ts'
import type { Page, Vector } from '../../src/lsm/page.ts'
import type { PhysicalValue } from '../../src/lsm/tree.ts'

export interface Entry {
  readonly key: Buffer
  readonly row: Buffer
}

/** Values by ordinal. */
export type PhysicalRow = readonly (PhysicalValue | null)[]

export function decodeEntry(layout: TableLayout, entry: Entry): PhysicalRow {
  const rowColumns = new Set(valueOrdinals(layout).slice(0, entry.row.readUInt16LE(0)))
  const values = layout.columns.map((_, ordinal): PhysicalValue | null => (rowColumns.has(ordinal) ? null : (layout.missing?.find((each) => each.ordinal === ordinal)?.value ?? null)))
  decodeKey(layout, entry.key, values)
  decodeRow(layout, entry.row, values)
  return values
}

function decodeKey(layout: TableLayout, key: Buffer, into: (PhysicalValue | null)[]): void {
  if (keyForm(layout) === 'bytes') {
    into[layout.key[0]!] = key
    return
  }
  let at = 0
  for (const ordinal of layout.key) {
    const kind = layout.columns[ordinal]!
    if (kind === 'bytes') {
      const bytes: number[] = []
      for (; !(key[at] === 0 && key[at + 1] === 1); at++) {
        bytes.push(key[at]!)
        if (key[at] === 0) at++
      }
      at += 2
      into[ordinal] = Uint8Array.from(bytes)
      continue
    }
    const bits = key.readBigUInt64BE(at)
    at += 8
    const top = 2n ** 63n
    if (kind === 'i64') into[ordinal] = BigInt.asIntN(64, bits ^ top)
    else into[ordinal] = new Float64Array(BigUint64Array.of(bits >= top ? bits ^ top : BigInt.asUintN(64, ~bits)).buffer)[0]!
  }
  if (at !== key.length) throw new Error(`key of ${key.length} bytes, ${at} decoded`)
}

function decodeRow(layout: TableLayout, row: Buffer, into: (PhysicalValue | null)[]): void {
  const columnCount = row.readUInt16LE(0)
  if (columnCount > valueOrdinals(layout).length || row.readUInt16LE(2) !== 0) throw new Error('row header')
  const ordinals = valueOrdinals(layout).slice(0, columnCount)
  let slot = 4 + Math.ceil(ordinals.length / 8)
  const textFrom = ordinals.reduce((sum, ordinal) => sum + (layout.columns[ordinal] === 'bytes' ? 4 : 8), slot)
  let textAt = textFrom
  for (const [i, ordinal] of ordinals.entries()) {
    const isNull = (row[4 + (i >> 3)]! & (1 << (i & 7))) !== 0
    if (layout.columns[ordinal] === 'bytes') {
      const textTo = textFrom + row.readUInt32LE(slot)
      if (!isNull) into[ordinal] = row.subarray(textAt, textTo)
      textAt = textTo
      slot += 4
      continue
    }
    if (!isNull) into[ordinal] = layout.columns[ordinal] === 'i64' ? row.readBigInt64LE(slot) : row.readDoubleLE(slot)
    slot += 8
  }
  if (textAt !== row.length) throw new Error(`row of ${row.length} bytes, ${textAt} decoded`)
}

/** A page of the given rows. Its memory is never freed: models are for small data. */
export function writePage(kernel: Kernel, kinds: TableLayout['columns'], rows: readonly { readonly entry: Entry; readonly values: PhysicalRow; readonly matches: boolean }[], columns: readonly number[]): Page {
  const selection = writeBits(kernel, rows.map((row) => row.matches))
  const key = kernel.heap.allocate(64 * 1024)
  return {
    rowCount: rows.length,
    vectors: kinds.map((kind, ordinal) => (columns.includes(ordinal) ? writeVector(kernel, kind, rows.map((row) => row.values[ordinal] ?? null)) : undefined)),
    selection: rows.every((row) => row.matches) ? 0 : selection,
    selectedCount: rows.filter((row) => row.matches).length,
    keyAt(row) {
      kernel.memory.u8.set(rows[row]!.entry.key, key)
      return { address: key, byteLength: rows[row]!.entry.key.length }
    },
    keyPrefixAt: (row) => Number(Buffer.concat([rows[row]!.entry.key, Buffer.alloc(8)]).readBigUInt64BE()),
  }
}

function writeVector(kernel: Kernel, kind: 'i64' | 'f64' | 'bytes', values: PhysicalRow): Vector {
  const { memory } = kernel
  const nulls = values.includes(null) ? writeBits(kernel, values.map((value) => value === null)) : 0
  const at = kernel.heap.allocate(8 * values.length)
  for (const [i, value] of values.entries()) {
    if (kind === 'i64') memory.i64[(at >>> 3) + i] = (value ?? 0n) as bigint
    else if (kind === 'f64') memory.f64[(at >>> 3) + i] = (value ?? 0) as number
    else writeRef(kernel, at + 8 * i, (value ?? new Uint8Array(0)) as Uint8Array)
  }
  return kind === 'bytes' ? { kind, refs: at, nulls } : { kind, values: at, nulls }
}

function writeRef({ heap, memory }: Kernel, at: Pointer, bytes: Uint8Array): void {
  const address = heap.allocate(bytes.length + 1)
  memory.u8.set(bytes, address)
  memory.u32[at >>> 2] = address
  memory.u32[(at >>> 2) + 1] = bytes.length
}

function writeBits({ heap, memory }: Kernel, bits: readonly boolean[]): Pointer {
  const bytes = Math.ceil(bits.length / 64) * 8
  const at = heap.allocate(bytes)
  memory.u8.fill(0, at, at + bytes)
  for (const [i, bit] of bits.entries()) if (bit) memory.u8[at + (i >> 3)]! |= 1 << (i & 7)
  return at
}
