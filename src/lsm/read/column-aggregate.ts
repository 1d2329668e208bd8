/**
 * One column's count, extremes and sum as they grow: numbers in a kernel accumulator (its shape is in
 * src/kernel/scan.ts), text in JavaScript.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { invariant } from '../../errors.ts'
import { physicalKindNumber } from '../layout.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import { zoneMapFields } from '../table/format.ts'
import type { TableReader } from '../table/table.ts'
import type { AggregateFunction, AggregatePartial } from '../tree.ts'
import { bitAt } from './read-context.ts'
import type { ReadContext } from './read-context.ts'
import { checkDecoded } from './row-group-columns.ts'

export interface ColumnAggregate {
  readonly ordinal: number
  /** Whether it is a column of the table, which chunks and zone maps are of. */
  readonly isStored: boolean
  /** The selected rows (0 = all) of a vector. */
  addVector(vector: Vector, count: number, selection: Pointer): void
  /** The same of a chunk; undefined where a vector is needed. */
  readonly addChunk: ((chunk: Pointer, selection: Pointer, scratch: (byteLength: number) => Pointer) => void) | undefined
  /** Whether a row group's zone map says enough for `functions` over all its rows. */
  canAddZone(reader: TableReader, rowGroup: number, functions: ReadonlySet<AggregateFunction>): boolean
  addZone(reader: TableReader, rowGroup: number): void
  partial(wanted: AggregateFunction): AggregatePartial
  free(): void
}

const accumulatorBytes = 48

/** `kinds` of the scan's columns by ordinal. */
export function createColumnAggregate(context: ReadContext, ordinal: number, kinds: readonly PhysicalKind[]): ColumnAggregate {
  const kind = kinds[ordinal]
  invariant(kind !== undefined, `an aggregate reads column ${ordinal} of ${kinds.length}`)
  return kind === 'bytes' ? textAggregate(context, ordinal) : numberAggregate(context, ordinal, kind)
}

const isStored = ({ shape: { layout } }: ReadContext, ordinal: number): boolean => ordinal < layout.columns.length

function numberAggregate(context: ReadContext, ordinal: number, kind: 'i64' | 'f64'): ColumnAggregate {
  const { kernel: { heap, memory, exports } } = context
  const kindNumber = physicalKindNumber[kind]
  const zonesOf = zonesByReader(ordinal)
  const accumulator = heap.allocate(accumulatorBytes), zone = heap.allocate(accumulatorBytes)
  exports.scanAccumulatorInit(accumulator, kindNumber)
  exports.scanAccumulatorInit(zone, kindNumber)
  const addVector = kind === 'i64' ? exports.scanAggregateI64 : exports.scanAggregateF64
  const addChunk = kind === 'i64' ? exports.scanAggregateChunkI64 : exports.scanAggregateChunkF64
  const valueAt = (address: Pointer): bigint | number => (kind === 'i64' ? memory.i64[address >>> 3]! : memory.f64[address >>> 3]!)
  const count = (): number => memory.f64[accumulator >>> 3]!
  return {
    ordinal,
    isStored: isStored(context, ordinal),
    addVector(vector, rowCount, selection) {
      if (vector.kind !== 'bytes') addVector(vector.values, vector.nulls, rowCount, selection, accumulator)
    },
    addChunk(chunk, selection, scratch) {
      checkDecoded(addChunk(chunk, selection, accumulator, scratch(exports.scanScratchBytes(chunk))), kind)
    },
    canAddZone: (reader) => isInZones(context, reader, ordinal),
    addZone(reader, rowGroup) {
      const zones = zonesOf(reader), { map, fields } = zones, values = valuesIn(memory, zones, rowGroup)
      if (values === 0) return
      const { u32, f64 } = memory
      f64[zone >>> 3] = values
      copyWords(u32, map + fields.min + 8 * rowGroup, zone + 8, 2)
      copyWords(u32, map + fields.max + 8 * rowGroup, zone + 16, 2)
      copyWords(u32, map + fields.sum + 16 * rowGroup, zone + 24, 4)
      exports.scanAccumulatorMerge(accumulator, zone, kindNumber)
    },
    partial(wanted) {
      if (wanted === 'count') return { kind: 'count', count: count() }
      if (wanted !== 'sum') return { kind: 'extreme', function: wanted, value: count() === 0 ? undefined : valueAt(accumulator + (wanted === 'min' ? 8 : 16)) }
      const sum = accumulator + 24
      if (kind === 'i64') return { kind: 'sumI64', count: count(), sum: (memory.i64[(sum + 8) >>> 3]! << 64n) | memory.u64[sum >>> 3]! }
      return { kind: 'sumF64', count: count(), high: memory.f64[sum >>> 3]!, low: memory.f64[(sum + 8) >>> 3]! }
    },
    free() {
      heap.free(accumulator)
      heap.free(zone)
    },
  }
}

/** Whether zone maps speak of the column, which is not computed: in a file older than it only where its rows are null there. */
function isInZones(context: ReadContext, reader: TableReader, ordinal: number): boolean {
  return isStored(context, ordinal) && (reader.zoneMap(ordinal) !== 0 || context.shape.missing.cell(ordinal) === undefined)
}

function textAggregate(context: ReadContext, ordinal: number): ColumnAggregate {
  const { memory } = context.kernel
  const zonesOf = zonesByReader(ordinal)
  let count = 0
  let min: Uint8Array | undefined, max: Uint8Array | undefined
  const addExtremes = (smallest: Uint8Array, largest: Uint8Array): void => {
    if (min === undefined || Buffer.compare(smallest, min) < 0) min = smallest.slice()
    if (max === undefined || Buffer.compare(largest, max) > 0) max = largest.slice()
  }
  return {
    ordinal,
    isStored: isStored(context, ordinal),
    addVector(vector, rowCount, selection) {
      if (vector.kind !== 'bytes') return
      const { u8, u32 } = memory
      for (let row = 0; row < rowCount; row++) {
        if ((selection !== 0 && !bitAt(u8, selection, row)) || bitAt(u8, vector.nulls, row)) continue
        const ref = (vector.refs >>> 2) + 2 * row
        const text = u8.subarray(u32[ref], u32[ref]! + u32[ref + 1]!)
        addExtremes(text, text)
        count++
      }
    },
    addChunk: undefined,
    canAddZone(reader, rowGroup, functions) {
      if (!isInZones(context, reader, ordinal)) return false
      if (!functions.has('min') && !functions.has('max')) return true
      return valuesIn(memory, zonesOf(reader), rowGroup) === 0 || reader.textExtremes(rowGroup, ordinal) !== undefined
    },
    addZone(reader, rowGroup) {
      const values = valuesIn(memory, zonesOf(reader), rowGroup)
      if (values === 0) return
      const extremes = reader.textExtremes(rowGroup, ordinal)
      if (extremes !== undefined) addExtremes(extremes.min, extremes.max)
      count += values
    },
    partial: (wanted) => (wanted === 'count' ? { kind: 'count', count } : { kind: 'extreme', function: wanted === 'max' ? 'max' : 'min', value: wanted === 'max' ? max : min }),
    free() {
      min = max = undefined
    },
  }
}

/** Where a file keeps a column's zone maps; asked for once a file, not once a row group. */
interface ColumnZones {
  readonly reader: TableReader
  /** 0 in a file older than the column. */
  readonly map: Pointer
  readonly fields: ReturnType<typeof zoneMapFields>
}

function zonesByReader(ordinal: number): (reader: TableReader) => ColumnZones {
  let last: ColumnZones | undefined
  return (reader) => (last?.reader === reader ? last : (last = { reader, map: reader.zoneMap(ordinal), fields: zoneMapFields(reader.meta.rowGroupCount) }))
}

/** How many live rows of a row group have a value; none in a file older than the column. */
function valuesIn({ u32 }: LinearMemory, { reader, map, fields }: ColumnZones, rowGroup: number): number {
  return map === 0 ? 0 : u32[(reader.liveRowCounts >>> 2) + rowGroup]! - u32[((map + fields.nulls) >>> 2) + rowGroup]!
}

/** Four bytes at a time: as numbers, 64-bit patterns would cost a BigInt each. */
function copyWords(u32: Uint32Array, from: Pointer, to: Pointer, count: number): void {
  for (let i = 0; i < count; i++) u32[(to >>> 2) + i] = u32[(from >>> 2) + i]!
}
