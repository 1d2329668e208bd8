/** Aggregates over encoded chunks; twin of assembly/scan/aggregate-chunks.ts. */
import type { ScanExports } from '../../scan.ts'
import { createDecimalAggregate, isPlainDecimalBlock } from '../aggregate/decimals.ts'
import { columnKinds } from '../column/layout.ts'
import type { ChunkParts } from './codes.ts'

export function createChunkAggregates({ memory, layout, column, aggregates, eachBlock }: ChunkParts): Pick<ScanExports, 'scanAggregateChunkI64' | 'scanAggregateChunkF64'> {
  const aggregateDecimals = createDecimalAggregate(memory, aggregates)
  return {
    scanAggregateChunkI64(chunk, selection, accumulator, scratch) {
      if (layout.kind(chunk) !== columnKinds.i64) return -1
      eachBlock(chunk, selection, (block, rows, nullPart, part) => {
        column.columnDecodeI64(chunk, block << 10, rows, scratch, 0)
        aggregates.aggregateI64(scratch, nullPart, part, rows, accumulator)
        return true
      })
      return 0
    },
    scanAggregateChunkF64(chunk, selection, accumulator, scratch) {
      if (layout.kind(chunk) !== columnKinds.f64) return -1
      eachBlock(chunk, selection, (block, rows, nullPart, part) => {
        column.columnDecodeF64(chunk, block << 10, rows, scratch, 0)
        if (isPlainDecimalBlock(layout, chunk, block)) aggregateDecimals(scratch, nullPart, part, rows, layout.exponent(chunk), accumulator)
        else aggregates.aggregateF64(scratch, nullPart, part, rows, accumulator)
        return true
      })
      return 0
    },
  }
}
