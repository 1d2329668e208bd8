/** Records of CSV go from bytes to columns by a kernel, a chunk at a time; what that does not know is added row by row. */
import { isUtf8 } from 'node:buffer'
import { valuesTextMargin } from '../../../kernel/values.ts'
import type { EngineColumns, EngineValue } from '../../engine.ts'
import type { TableAccess } from '../../tables/table-access.ts'
import { scratchTextBytes } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'
import { createPackedColumn, roomAfter, withRoom } from './packed-columns.ts'
import type { CsvRecords, RowCollector } from './row-collector.ts'
import { settlePending } from './text-operations.ts'
import { writePlan } from './values-plan.ts'
import type { ColumnPlan, GivenColumns } from './values-plan.ts'

/** What a kernel is given at a time; longer records take more. */
const pieceBytes = 64 * 1024

/** `scratchOf` gives memory to read CSV in, undefined where there is none. */
export function createRowCollector(access: TableAccess, given: GivenColumns, scratchOf: () => ColumnScratch | undefined): RowCollector<EngineValue, EngineColumns> {
  const first = access.schema.hiddenKey ? 1 : 0
  const columns = access.schema.columns.slice(first).map(createPackedColumn)
  let rowCount = 0
  let lines = new Uint32Array(roomAfter(0))

  /** The chunk that was read last. */
  function addChunk(scratch: ColumnScratch, plan: ColumnPlan, rows: number, line: number): void {
    const { u32 } = scratch.kernel.memory
    lines = withRoom(lines, rowCount, rows)
    for (let i = 0; i < rows; i++) lines[rowCount + i] = line + u32[(scratch.refs >>> 2) + i]!
    for (const [index, column] of columns.entries()) {
      column.addVector(rowCount, { scratch, values: plan.values[first + index]!, nulls: plan.nulls[first + index]!, rows })
    }
    rowCount += rows
  }

  return {
    get rowCount() {
      return rowCount
    },
    add(row, line) {
      for (const [index, column] of columns.entries()) column.add(rowCount, row[index]!)
      lines = withRoom(lines, rowCount, 1)
      lines[rowCount++] = line
    },
    addCsv(text, delimiter, line) {
      const scratch = scratchOf()
      const plan = scratch && writePlan(scratch, access, given)
      if (scratch === undefined || plan === undefined) return undefined
      const before = rowCount
      let byteLength = 0, lineEnds = 0
      for (;;) {
        const records = readChunk(scratch, plan, text.subarray(byteLength), delimiter)
        if (records.rowCount > 0) addChunk(scratch, plan, records.rowCount, line + lineEnds)
        byteLength += records.byteLength
        lineEnds += records.lineEnds
        const isOver = records.byteLength === 0 || byteLength === text.length
        if (isOver) return { rowCount: rowCount - before, byteLength, lineEnds, lastLine: rowCount === before ? undefined : lines[rowCount - 1]!, isCut: records.isCut || byteLength === text.length }
      }
    },
    take() {
      const taken = { columns: { rowCount, columns: columns.map((column) => column.take(rowCount)) }, lines: lines.subarray(0, rowCount) }
      lines = new Uint32Array(roomAfter(rowCount))
      rowCount = 0
      return taken
    },
  }
}

type Chunk = Omit<CsvRecords, 'lastLine'>

/** Records that are good stand in the plan's columns, the line ends before each in the scratch's refs. */
function readChunk(scratch: ColumnScratch, plan: ColumnPlan, text: Uint8Array, delimiter: number): Chunk {
  const short = scanPiece(scratch, plan, text.subarray(0, pieceBytes), delimiter)
  const isLong = short.byteLength === 0 && short.isCut && text.length > pieceBytes
  const chunk = isLong ? scanPiece(scratch, plan, text.subarray(0, scratchTextBytes), delimiter) : short
  const isGood = isUtf8(text.subarray(0, chunk.byteLength)) && settlePending(scratch)
  // A record that is longer than what can be looked at is read elsewhere.
  return isGood ? { ...chunk, isCut: chunk.isCut && (chunk.byteLength > 0 || text.length <= scratchTextBytes) } : { rowCount: 0, byteLength: 0, lineEnds: 0, isCut: false }
}

function scanPiece({ kernel: { memory: { u8, u32 }, exports }, ...scratch }: ColumnScratch, { rowsMax }: ColumnPlan, piece: Uint8Array, delimiter: number): Chunk {
  u8.set(piece, scratch.text)
  u8.fill(0, scratch.text + piece.length, scratch.text + piece.length + valuesTextMargin)
  const rowCount = exports.valuesCsv(scratch.text, piece.length, scratch.plan, delimiter, rowsMax, scratch.refs, scratch.out)
  const [byteLength, lineEnds, isCut] = u32.subarray(scratch.out >>> 2)
  return { rowCount, byteLength: byteLength!, lineEnds: lineEnds!, isCut: isCut === 1 }
}
