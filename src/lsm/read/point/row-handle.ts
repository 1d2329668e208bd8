/**
 * Found rows, read in place cell by cell. Cells pass through the reader's scratch: valid until the caller's next await or
 * next point read, so a reader has one handle for all its rows.
 */
import { invariant } from '../../../errors.ts'
import { cellStates } from '../../../kernel/column.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { checkDecoded } from '../row-group-columns.ts'
import { decodeKeyNumber, decodeKeyText, keyPart } from '../../keys/key-columns.ts'
import type { PhysicalKind } from '../../layout.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import { rowAt, rowGroupAt } from '../../table/table.ts'
import type { TableReader } from '../../table/table.ts'
import type { FoundBytes, RowHandle } from '../../tree.ts'

/** Memory that the handles of one reader share. */
export interface RowScratch {
  readonly kernel: Kernel
  /** 24 bytes: one value or ref, and what `columnGetNewest` says of it. */
  readonly cell: Pointer
  /** Memory for at least so many bytes of text. */
  text(byteLength: number): Pointer
}

/** Brings one cell to the scratch cell; false when it is null. */
interface CellSource {
  load(ordinal: number, kind: PhysicalKind): boolean
}

class FoundRowHandle implements RowHandle {
  private readonly scratch: RowScratch
  private shape!: RowLayout
  private readonly source: CellSource
  /** The column whose value is in the cell; -1: none. Whoever wants a value asks first whether it is null. */
  private loaded = -1
  /** Of a value that is loaded. */
  private state: number = cellStates.isUnread

  constructor(scratch: RowScratch, source: CellSource) {
    this.scratch = scratch
    this.source = source
  }

  /** Begins with another row, at which the source is already. */
  begin(shape: RowLayout): this {
    this.shape = shape
    this.loaded = -1
    return this
  }

  /** The same where what became of one column of it stands in the scratch. */
  beginWith(shape: RowLayout, ordinal: number): this {
    this.shape = shape
    const state = this.scratch.kernel.memory.u32[(this.scratch.cell >>> 2) + 2]!
    this.loaded = state === cellStates.isUnread ? -1 : ordinal
    this.state = state
    return this
  }

  isNull(ordinal: number): boolean {
    if (this.loaded === ordinal) return this.state === cellStates.isNull
    this.state = this.source.load(ordinal, this.kindOf(ordinal)) ? cellStates.isThere : cellStates.isNull
    this.loaded = ordinal
    return this.state === cellStates.isNull
  }

  i64(ordinal: number): bigint {
    this.loadValue(ordinal, 'i64')
    return this.scratch.kernel.memory.i64[this.scratch.cell >>> 3]!
  }

  i64Safe(ordinal: number): number | undefined {
    this.loadValue(ordinal, 'i64')
    const { i32, u32 } = this.scratch.kernel.memory
    const value = i32[(this.scratch.cell >>> 2) + 1]! * 0x1_0000_0000 + u32[this.scratch.cell >>> 2]!
    return Number.isSafeInteger(value) ? value : undefined
  }

  f64(ordinal: number): number {
    this.loadValue(ordinal, 'f64')
    return this.scratch.kernel.memory.f64[this.scratch.cell >>> 3]!
  }

  bytes(ordinal: number): FoundBytes {
    this.loadValue(ordinal, 'bytes')
    const { u32 } = this.scratch.kernel.memory
    return { address: u32[this.scratch.cell >>> 2]!, byteLength: u32[(this.scratch.cell >>> 2) + 1]!, isAscii: this.state === cellStates.isAscii }
  }

  private kindOf(ordinal: number): PhysicalKind {
    const kind = this.shape.layout.columns[ordinal]
    // The message takes longer than all else.
    if (kind === undefined) invariant(false, () => `table ${this.shape.layout.tableId} has no column ${ordinal}`)
    return kind
  }

  private loadValue(ordinal: number, kind: PhysicalKind): void {
    if (this.kindOf(ordinal) !== kind) invariant(false, () => `column ${ordinal} is not ${kind}`)
    if (!this.isNull(ordinal)) return
    this.scratch.kernel.memory.u32.fill(0, this.scratch.cell >>> 2, (this.scratch.cell >>> 2) + 2)
  }
}

/** A row in a memtable: value columns from its row bytes, key columns from the key that found it. */
class MemtableCells implements CellSource {
  private readonly scratch: RowScratch
  private shape!: RowLayout
  private row: Pointer = 0
  private key: Pointer = 0
  private keyBytes = 0

  constructor(scratch: RowScratch) {
    this.scratch = scratch
  }

  begin(shape: RowLayout, row: Pointer, key: Pointer, keyBytes: number): void {
    this.shape = shape
    this.row = row
    this.key = key
    this.keyBytes = keyBytes
  }

  load(ordinal: number, kind: PhysicalKind): boolean {
    const { kernel, cell } = this.scratch
    const valueIndex = this.shape.valueIndexes[ordinal]!
    if (valueIndex >= 0) return kernel.exports.rowGet(this.row, this.shape.descriptor, valueIndex, cell) !== 0 || (this.isOlderThan(valueIndex) && loadMissing(this.scratch, this.shape, ordinal))
    const part = ordinal === this.shape.directOrdinal && kind === 'bytes' ? undefined : keyPart(kernel.memory, this.shape, this.key, this.keyBytes, this.shape.keyIndexes[ordinal]!)
    if (part !== undefined && kind !== 'bytes') decodeKeyNumber(kernel.memory, kind, part.address, cell)
    else {
      const text = part === undefined ? { address: this.key, byteLength: this.keyBytes } : decodeKeyText(kernel.memory, part, this.scratch.text)
      kernel.memory.u32[cell >>> 2] = text.address
      kernel.memory.u32[(cell >>> 2) + 1] = text.byteLength
    }
    return true
  }

  /** Whether the row was written before the column was there. */
  private isOlderThan(valueIndex: number): boolean {
    return valueIndex >= this.scratch.kernel.memory.u16[this.row >>> 1]!
  }
}

/** Loads what rows older than the column have in it; false when that is null. */
function loadMissing({ kernel: { memory: { u8 } }, cell }: RowScratch, { missing }: RowLayout, ordinal: number): boolean {
  const value = missing.cell(ordinal)
  if (value !== undefined) u8.copyWithin(cell, value, value + 8)
  return value !== undefined
}

/** A row in a table file, of whose row group all that it needs is cached. */
class TableCells implements CellSource {
  private readonly scratch: RowScratch
  private shape!: RowLayout
  private reader!: TableReader
  private place = 0

  constructor(scratch: RowScratch) {
    this.scratch = scratch
  }

  begin(shape: RowLayout, reader: TableReader, place: number): void {
    this.shape = shape
    this.reader = reader
    this.place = place
  }

  load(ordinal: number, kind: PhysicalKind): boolean {
    const { kernel: { exports }, cell } = this.scratch
    const chunk = this.reader.rowChunk(rowGroupAt(this.place), ordinal)
    invariant(chunk !== undefined, 'a found row is read after its chunks left the cache')
    if (chunk === 0) return loadMissing(this.scratch, this.shape, ordinal)
    switch (kind) {
      case 'i64':
        return checkDecoded(exports.columnGetI64(chunk, rowAt(this.place), cell), kind) !== 0
      case 'f64':
        return checkDecoded(exports.columnGetF64(chunk, rowAt(this.place), cell), kind) !== 0
      case 'bytes':
        return checkDecoded(this.loadBytes(chunk, ordinal), kind) !== 0
    }
  }

  private loadBytes(chunk: Pointer, ordinal: number): number {
    const { kernel: { exports }, cell, text } = this.scratch
    const row = rowAt(this.place), isThere = exports.columnGetBytes(chunk, row, cell, 0)
    if (isThere !== -2) return isThere
    this.reader.notePartRead(rowGroupAt(this.place), ordinal)
    return exports.columnGetBytes(chunk, row, cell, text(exports.columnDecodeScratchBytes(chunk)))
  }
}

/** The handles that one reader gives out. */
export interface RowHandles {
  /** `loaded`: the column that `columnGetNewest` has put into the cell; -1: none. */
  ofMemtable(shape: RowLayout, row: Pointer, key: Pointer, keyBytes: number, loaded: number): RowHandle
  ofTable(shape: RowLayout, reader: TableReader, place: number, loaded: number): RowHandle
}

export function createRowHandles(scratch: RowScratch): RowHandles {
  const memtableCells = new MemtableCells(scratch), tableCells = new TableCells(scratch)
  const memtableRow = new FoundRowHandle(scratch, memtableCells), tableRow = new FoundRowHandle(scratch, tableCells)
  return {
    ofMemtable(shape, row, key, keyBytes, loaded) {
      memtableCells.begin(shape, row, key, keyBytes)
      return loaded < 0 ? memtableRow.begin(shape) : memtableRow.beginWith(shape, loaded)
    },
    ofTable(shape, reader, place, loaded) {
      tableCells.begin(shape, reader, place)
      return loaded < 0 ? tableRow.begin(shape) : tableRow.beginWith(shape, loaded)
    },
  }
}
