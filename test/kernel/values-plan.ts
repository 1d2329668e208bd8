/** A table as kernels of values see it, and what they leave of it. */
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { pendingCellBytes, valuesColumnBytes, valuesPlanBytes, valuesShardBytes, valuesTextMargin, valuesType } from '../../src/kernel/values.ts'

export type TypeName = keyof typeof valuesType
export const rowsMax = 64
export const textBytesMax = 4096
export const shards = 3

export interface Fixture {
  readonly kernel: Kernel
  readonly types: readonly TypeName[]
  readonly base: Pointer
  readonly end: Pointer
  readonly plan: Pointer
  readonly text: Pointer
  readonly values: Pointer
  readonly pending: Pointer
  readonly keys: Pointer
  readonly refs: Pointer
  readonly hashes: Pointer
  readonly sizes: Pointer
  readonly cursors: Pointer
  readonly operations: Pointer
  readonly out: Pointer
}

const kindOf = (type: TypeName): number => (type === 'text' || type === 'bytea' ? 3 : type === 'double' ? 2 : 1)
const slotBytes = (type: TypeName): number => (kindOf(type) === 3 ? 4 : 8)

/** A table of the types whose key is `key`; numerics have two digits after the point, texts five characters, DEFAULT is 7 for numbers. */
export function place(kernel: Kernel, types: readonly TypeName[], key: readonly number[]): Fixture {
  const { heap, memory } = kernel
  const allocate = (bytes: number): Pointer => heap.allocate(bytes)
  const plan = allocate(valuesPlanBytes + valuesColumnBytes * types.length)
  const lists = allocate(12 * types.length + 16)
  const text = allocate(textBytesMax + valuesTextMargin)
  const values = allocate(types.length * rowsMax * 8), nulls = allocate(types.length * (rowsMax / 8))
  const pending = allocate(4 * pendingCellBytes), keys = allocate(8192), refs = allocate(8 * rowsMax), hashes = allocate(8 * rowsMax)
  const sizes = allocate(valuesShardBytes * shards), cursors = allocate(4 * shards), operations = allocate(65_536), out = allocate(16)
  memory.u8.fill(0, plan, out + 16)
  const valueOrdinals = types.map((_, i) => i).filter((i) => !key.includes(i))
  const keyAt = lists + 4 * types.length, valuesAt = keyAt + 4 * key.length
  memory.u32.set([...types.map((_, i) => i), ...key, ...valueOrdinals], lists >>> 2)
  const form = key.length > 1 || kindOf(types[key[0]!]!) === 2 ? 3 : kindOf(types[key[0]!]!) === 1 ? 1 : 2
  const fixedBytes = 4 + Math.ceil(valueOrdinals.length / 8) + valueOrdinals.reduce((sum, i) => sum + slotBytes(types[i]!), 0)
  memory.u32.set([types.length, lists, key.length, keyAt, form, valueOrdinals.length, valuesAt, fixedBytes, 77, shards, pending, 4, 0], plan >>> 2)
  types.forEach((type, i) => {
    const at = plan + valuesPlanBytes + valuesColumnBytes * i
    memory.u32.set([valuesType[type], key.includes(i) ? 1 : 0, values + i * rowsMax * 8, nulls + i * (rowsMax / 8), type === 'numeric' ? 2 : 5, kindOf(type)], at >>> 2)
    memory.view.setBigInt64(at + 24, type === 'numeric' ? -999_999n : -(2n ** 63n), true)
    memory.view.setBigInt64(at + 32, type === 'numeric' ? 999_999n : 2n ** 63n - 1n, true)
    memory.view.setBigInt64(at + 40, kindOf(type) === 1 ? 7n : 0n, true)
    memory.u32[(at + 48) >>> 2] = kindOf(type) === 1 ? 1 : 2
  })
  return { kernel, types, base: plan, end: out + 16, plan, text, values, pending, keys, refs, hashes, sizes, cursors, operations, out }
}

/** Writes a text where it is scanned; returns its bytes. */
export function putText({ kernel: { memory }, text }: Fixture, source: string | Uint8Array): number {
  const bytes = Buffer.from(source)
  memory.u8.set(bytes, text)
  memory.u8.fill(0, text + bytes.length, text + bytes.length + valuesTextMargin)
  return bytes.length
}

/** The values of a column as its type reads. */
export function column({ kernel: { memory }, types, plan, values }: Fixture, ordinal: number, rows: number): unknown[] {
  const nulls = memory.u32[(plan + valuesPlanBytes + valuesColumnBytes * ordinal + 12) >>> 2]!
  return Array.from({ length: rows }, (_, row) => {
    const at = values + (ordinal * rowsMax + row) * 8
    if (((memory.u8[nulls + (row >> 3)]! >> (row & 7)) & 1) === 1) return null
    if (kindOf(types[ordinal]!) === 1) return memory.view.getBigInt64(at, true)
    if (kindOf(types[ordinal]!) === 2) return memory.view.getFloat64(at, true)
    const from = memory.u32[at >>> 2]!
    const bytes = Buffer.from(memory.u8.slice(from, from + memory.u32[(at >>> 2) + 1]!))
    return types[ordinal] === 'bytea' ? bytes.toString('hex') : bytes.toString()
  })
}
