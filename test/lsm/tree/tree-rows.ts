/** Rows as plain values, to and from the bytes of keys, rows, handles and pages. */
import { valueOrdinals } from '../../../src/lsm/layout.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import type { Page } from '../../../src/lsm/page.ts'
import type { RowHandle } from '../../../src/lsm/tree.ts'
import type { Random } from '../../../src/runtime/random.ts'

export type Value = null | bigint | number | Uint8Array
/** By ordinal. */
export type Row = readonly Value[]

export const layouts: readonly TableLayout[] = [
  { tableId: 1, columns: ['i64', 'bytes', 'f64', 'i64'], key: [0] },
  { tableId: 7, columns: ['f64', 'bytes', 'i64'], key: [1] },
  { tableId: 300, columns: ['i64', 'bytes', 'f64', 'bytes'], key: [1, 0] },
  { tableId: 70_000, columns: ['f64', 'i64'], key: [0] },
]

export function encodeKey(layout: TableLayout, row: Row): Uint8Array {
  const isDirectText = layout.key.length === 1 && layout.columns[layout.key[0]!] === 'bytes'
  return Buffer.concat(layout.key.map((ordinal) => {
    const value = row[ordinal]!
    if (value instanceof Uint8Array) return isDirectText ? value : Buffer.from([...[...value].flatMap((byte) => (byte === 0 ? [0, 255] : [byte])), 0, 1])
    const bytes = Buffer.alloc(8)
    if (typeof value === 'number') {
      bytes.writeDoubleBE(value)
      const bits = bytes.readBigUInt64BE()
      bytes.writeBigUInt64BE(bits >> 63n === 1n ? bits ^ 0xffff_ffff_ffff_ffffn : bits | (1n << 63n))
    } else bytes.writeBigUInt64BE(BigInt.asUintN(64, value ^ (1n << 63n)))
    return bytes
  }))
}

export function encodeRow(layout: TableLayout, row: Row): Uint8Array {
  const values = valueOrdinals(layout).map((ordinal) => ({ kind: layout.columns[ordinal]!, value: row[ordinal] ?? null }))
  const bitmap = Buffer.alloc(Math.ceil(values.length / 8))
  const slots: Buffer[] = [], texts: Uint8Array[] = []
  let textEnd = 0
  values.forEach(({ kind, value }, i) => {
    if (value === null) bitmap[i >> 3]! |= 1 << (i & 7)
    const slot = Buffer.alloc(kind === 'bytes' ? 4 : 8)
    if (value instanceof Uint8Array) {
      texts.push(value)
      textEnd += value.length
    }
    if (kind === 'bytes') slot.writeUInt32LE(textEnd)
    else if (kind === 'i64') slot.writeBigInt64LE((value as bigint | null) ?? 0n)
    else slot.writeDoubleLE((value as number | null) ?? 0)
    slots.push(slot)
  })
  return Buffer.concat([Buffer.from([values.length & 255, values.length >> 8, 0, 0]), bitmap, ...slots, ...texts])
}

const copyText = ({ memory }: Kernel, { address, byteLength }: { readonly address: number; readonly byteLength: number }): Uint8Array => memory.u8.slice(address, address + byteLength)

export function readHandle(kernel: Kernel, layout: TableLayout, handle: RowHandle): Value[] {
  return layout.columns.map((kind, ordinal) => {
    if (handle.isNull(ordinal)) return null
    if (kind === 'bytes') return copyText(kernel, handle.bytes(ordinal))
    return kind === 'i64' ? handle.i64(ordinal) : handle.f64(ordinal)
  })
}

/** The selected rows of a page: their key bytes, and the columns that are there. */
export function readPage(kernel: Kernel, page: Page): { readonly key: string; readonly values: Value[] }[] {
  const { u8, u32, i64, f64 } = kernel.memory
  const bit = (bitmap: number, row: number): boolean => bitmap !== 0 && ((u8[bitmap + (row >> 3)]! >> (row & 7)) & 1) === 1
  const rows: { key: string; values: Value[] }[] = []
  for (let row = 0; row < page.rowCount; row++) {
    if (page.selection !== 0 && !bit(page.selection, row)) continue
    const values: Value[] = []
    page.vectors.forEach((vector, ordinal) => {
      if (vector === undefined) return
      if (bit(vector.nulls, row)) values[ordinal] = null
      else if (vector.kind === 'bytes') values[ordinal] = copyText(kernel, { address: u32[vector.refs / 4 + 2 * row]!, byteLength: u32[vector.refs / 4 + 2 * row + 1]! })
      else values[ordinal] = vector.kind === 'i64' ? i64[vector.values / 8 + row]! : f64[vector.values / 8 + row]!
    })
    rows.push({ key: Buffer.from(copyText(kernel, page.keyAt(row))).toString('hex'), values })
  }
  if (rows.length !== page.selectedCount) throw new Error(`page says ${page.selectedCount} rows are selected, its bitmap ${rows.length}`)
  return rows
}

export function randomValue(random: Random, kind: 'i64' | 'f64' | 'bytes', spread: number): bigint | number | Uint8Array {
  const number = random.below(spread) - (spread >> 1)
  if (kind === 'i64') return BigInt(number) * (random.below(50) === 0 ? 1n << 50n : 1n)
  if (kind === 'f64') return random.below(40) === 0 ? [Infinity, -Infinity, 1e300, 1 / 3][random.below(4)]! : number / 4
  return Buffer.from(['k', '\0', 'long common prefix ', ''][random.below(4)]! + String(number), 'latin1')
}

/** A row whose key is one of about `spread`. */
export function randomRow(random: Random, layout: TableLayout, spread: number): Row {
  return layout.columns.map((kind, ordinal) => (!layout.key.includes(ordinal) && random.below(6) === 0 ? null : !layout.key.includes(ordinal) && kind === 'f64' && random.below(30) === 0 ? NaN : randomValue(random, kind, layout.key.includes(ordinal) ? spread : 20)))
}

