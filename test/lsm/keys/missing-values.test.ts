import { describe, expect, it } from 'vitest'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { createMissingValues } from '../../../src/lsm/keys/missing-values.ts'
import type { PhysicalKind, PhysicalValue } from '../../../src/lsm/layout.ts'

const values: readonly (readonly [PhysicalKind, PhysicalValue])[] = [
  ['i64', 0n], ['i64', -(2n ** 63n)], ['f64', Number.NaN], ['f64', -0.0], ['bytes', Buffer.from('')], ['bytes', Buffer.from('text')], ['bytes', Buffer.alloc(70_000, 'x')],
]

describe.each(['wasm', 'js'] as const)('values of rows older than a column, %s kernels', (kind) => {
  const kernel = openKernel(kind, reserveLinearMemory(16 * 1024 * 1024))
  const { memory, exports, heap } = kernel

  it.each(values)('%s %s: chunks are well-formed and give it in every row', (column, value) => {
    const missing = createMissingValues(kernel, { tableId: 1, columns: ['i64', column], key: [0], missing: [{ ordinal: 1, value }] })
    const cell = missing.cell(1)!
    for (const rowCount of [1, 1024, 3000]) {
      const chunk = missing.chunk(1, rowCount)
      expect(missing.chunk(1, rowCount)).toBe(chunk)
      expect(exports.columnValidate(chunk, memory.u32[(chunk >>> 2) + 2]!)).toBe(0)
      expect([exports.columnCount(chunk), exports.columnHasNulls(chunk)]).toEqual([rowCount, 0])
      const out = heap.allocate(16)
      const get = { i64: exports.columnGetI64, f64: exports.columnGetF64, bytes: exports.columnGetBytes }[column]
      expect(get(chunk, rowCount - 1, out, 0)).toBe(1)
      if (column === 'bytes') {
        const [address, byteLength] = memory.u32.subarray(out >>> 2, (out >>> 2) + 2)
        expect(Buffer.from(memory.u8.slice(address, address! + byteLength!))).toEqual(value)
      } else expect(memory.u64[out >>> 3]).toBe(memory.u64[cell >>> 3])
      heap.free(out)
    }
    missing.free()
  })

  it('are null where the layout says nothing', () => {
    const missing = createMissingValues(kernel, { tableId: 1, columns: ['i64', 'bytes'], key: [0] })
    expect([missing.cell(1), missing.chunk(1, 10)]).toEqual([undefined, 0])
    missing.free()
    expect(heap.usedBytes).toBe(0)
  })
})
