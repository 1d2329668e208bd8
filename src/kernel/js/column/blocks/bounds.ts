/** Between which values the rows of integer blocks lie; twin of assembly/column/blocks/bounds.ts. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { blockCount, blockRows, columnKinds, encodings, isDelta } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'

const far = 2n ** 61n, farStep = 2n ** 50n, widthMax = 60, checkpointRows = 128

const isFar = (value: bigint, limit: bigint): boolean => value >= limit || value <= -limit
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export function createBlockBounds({ i64 }: LinearMemory, layout: ChunkLayout, { columnGetI64 }: Pick<ColumnExports, 'columnGetI64'>): Pick<ColumnExports, 'columnBlockBounds'> {
  const put = (out: Pointer, low: bigint, high: bigint): void => {
    i64[out >>> 3] = low
    i64[(out >>> 3) + 1] = high
  }

  function boundCodes(chunk: Pointer, block: number, out: Pointer): boolean {
    const entry = layout.entry(chunk, block), base = i64[entry >>> 3]!, slope = i64[(entry >>> 3) + 1]!, width = layout.width(entry)
    const isLinear = layout.encoding(chunk) === encodings.linear
    if (isFar(base, far) || width > widthMax || (isLinear && isFar(slope, farStep))) return false
    const last = layout.rowsOf(chunk, block) - 1, line = isLinear ? slope * BigInt(last) + BigInt((layout.fraction(entry) * last) >>> 16) : 0n
    put(out, base + least(line, 0n), base + greatest(line, 0n) + (1n << BigInt(width)) - 1n)
    return true
  }

  function boundDelta(chunk: Pointer, block: number, out: Pointer): boolean {
    const entry = layout.entry(chunk, block), rows = layout.rowsOf(chunk, block), base = i64[entry >>> 3]!
    const step = layout.encoding(chunk) === encodings.delta ? 1 : Number(i64[(entry >>> 3) + 1]!)
    const reach = step * Number((1n << BigInt(Math.min(layout.width(entry), 63))) - 1n)
    if (isFar(base, farStep) || reach >= Number(farStep)) return false
    const checkpoints = layout.aux(chunk, entry) >>> 3
    if (base >= 0n) {
      const first = i64[checkpoints]!
      columnGetI64(chunk, block * blockRows + rows - 1, out)
      const last = i64[out >>> 3]!
      put(out, first, last)
      return last >= first
    }
    const values = Array.from({ length: Math.ceil(rows / checkpointRows) }, (_, i) => i64[checkpoints + i]!)
    const low = values.reduce(least), high = values.reduce(greatest), behind = BigInt(checkpointRows - 1)
    if (isFar(low, far) || isFar(high, far)) return false
    put(out, low + base * behind, high + greatest(base + BigInt(reach), 0n) * behind)
    return true
  }

  return {
    columnBlockBounds(chunk, out) {
      const encoding = layout.encoding(chunk), blocks = blockCount(layout.count(chunk))
      if (layout.kind(chunk) !== columnKinds.i64 || (layout.flags(chunk) & 1) !== 0 || encoding === encodings.plain) return -1
      for (let block = 0; block < blocks; block++) {
        const at = out + 16 * block, value = i64[layout.data(chunk) >>> 3]!
        if (encoding === encodings.constant) put(at, value, value)
        else if (isDelta(encoding) ? !boundDelta(chunk, block, at) : !boundCodes(chunk, block, at)) return -1
      }
      return blocks
    },
  }
}
