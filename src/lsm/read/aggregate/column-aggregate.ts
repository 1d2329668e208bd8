/**
 * One column's count, extremes and sum as they grow: numbers in a kernel accumulator (its shape is in
 * src/kernel/scan.ts), out of encoded chunks where there are any; text in JavaScript.
 */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import { accumulatorBytes } from '../../../kernel/scan.ts'
import { invariant } from '../../../errors.ts'
import { physicalKindNumber } from '../../layout.ts'
import type { PhysicalKind } from '../../layout.ts'
import type { Vector } from '../../page.ts'
import type { Arena } from '../../state/arena.ts'
import { zoneMapFields } from '../../table/format.ts'
import type { HiddenRows } from '../../table/read/kept-totals.ts'
import type { ZoneMaps } from '../../table/table.ts'
import type { AggregateFunction, AggregatePartial } from '../../tree.ts'
import type { VectorRows } from '../../vector/node.ts'
import { bitAt } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { checkDecoded } from '../row-group-columns.ts'

export interface ColumnAggregate {
  /** The selected rows (0 = all), of which there are so many. */
  add(rows: VectorRows, selection: Pointer, selectedCount: number, arena: Arena): void
  /** Whether a row group's zone map says enough for `functions` over all its rows. */
  canAddZone(maps: ZoneMaps, rowGroup: number, functions: ReadonlySet<AggregateFunction>): boolean
  addZone(maps: ZoneMaps, rowGroup: number): void
  /** Of row groups of which rows are hidden; absent where nothing is kept of them. */
  readonly kept?: KeptAggregate | undefined
  partial(wanted: AggregateFunction): AggregatePartial
  free(): void
}

export interface KeptAggregate {
  /** Whether it is known what the rows that stand come to. */
  has(rows: HiddenRows): boolean
  /** Adds what they come to; false, with nothing added, where that is not known. */
  add(rows: HiddenRows): boolean
  /** Adds the selected rows, which are those that stand, and keeps what they come to. */
  addAndKeep(rows: VectorRows, selection: Pointer, arena: Arena, hidden: HiddenRows): void
}

/** Of a column of the table. */
export function storedAggregate(context: ReadContext, ordinal: number): ColumnAggregate {
  const { columns } = context.shape.layout, kind = columns[ordinal]
  invariant(kind !== undefined, `an aggregate reads column ${ordinal} of ${columns.length}`)
  return columnAggregate(context, kind, ordinal, ({ vector }) => vector(ordinal))
}

/** Of values that are computed; zone maps say nothing of them. */
export function vectorAggregate(context: ReadContext, kind: PhysicalKind, vectorOf: VectorOf): ColumnAggregate {
  return columnAggregate(context, kind, undefined, vectorOf)
}

/** A vector that means something for the selected rows. */
type VectorOf = (rows: VectorRows, selection: Pointer, arena: Arena) => Vector

/** `ordinal`: of a column of the table, which chunks and zone maps are of. */
function columnAggregate(context: ReadContext, kind: PhysicalKind, ordinal: number | undefined, vectorOf: VectorOf): ColumnAggregate {
  return kind === 'bytes' ? textAggregate(context, ordinal, vectorOf) : numberAggregate(context, ordinal, kind, vectorOf)
}

function numberAggregate(context: ReadContext, ordinal: number | undefined, kind: 'i64' | 'f64', vectorOf: VectorOf): ColumnAggregate {
  const { kernel: { heap, memory, exports } } = context
  const kindNumber = physicalKindNumber[kind]
  const zonesOf = zonesByFile(ordinal)
  const accumulator = heap.allocate(accumulatorBytes), zone = heap.allocate(accumulatorBytes)
  exports.scanAccumulatorInit(accumulator, kindNumber)
  exports.scanAccumulatorInit(zone, kindNumber)
  const addVector = kind === 'i64' ? exports.scanAggregateI64 : exports.scanAggregateF64
  const addChunk = kind === 'i64' ? exports.scanAggregateChunkI64 : exports.scanAggregateChunkF64
  const valueAt = (address: Pointer): bigint | number => (kind === 'i64' ? memory.i64[address >>> 3]! : memory.f64[address >>> 3]!)
  const count = (): number => memory.f64[accumulator >>> 3]!
  function addTo(into: Pointer, rows: VectorRows, selection: Pointer, arena: Arena): void {
    const chunk = ordinal === undefined ? 0 : rows.chunk(ordinal)
    if (chunk !== 0) {
      checkDecoded(addChunk(chunk, selection, into, arena.allocate(exports.scanScratchBytes(chunk))), kind)
      return
    }
    const vector = vectorOf(rows, selection, arena)
    if (vector.kind !== 'bytes') addVector(vector.values, vector.nulls, rows.rowCount, selection, into)
  }
  return {
    add: (rows, selection, _, arena) => addTo(accumulator, rows, selection, arena),
    kept: ordinal === undefined ? undefined : keptTotals(context, kindNumber, ordinal, accumulator, addTo),
    canAddZone: (maps) => isInZones(context, maps, ordinal),
    addZone(maps, rowGroup) {
      const zones = zonesOf(maps), { map, fields } = zones, values = valuesIn(memory, zones, rowGroup)
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

function keptTotals({ kernel: { exports } }: ReadContext, kind: number, ordinal: number, accumulator: Pointer, addTo: (into: Pointer, rows: VectorRows, selection: Pointer, arena: Arena) => void): KeptAggregate {
  const find = ({ totals, rowGroup, hiddenCount }: HiddenRows): Pointer => totals.find(rowGroup, ordinal, hiddenCount)
  return {
    has: (hidden) => find(hidden) !== 0,
    add(hidden) {
      const kept = find(hidden)
      if (kept !== 0) exports.scanAccumulatorMerge(accumulator, kept, kind)
      return kept !== 0
    },
    addAndKeep(rows, selection, arena, { totals, rowGroup, hiddenCount }) {
      const own = arena.allocate(accumulatorBytes)
      exports.scanAccumulatorInit(own, kind)
      addTo(own, rows, selection, arena)
      exports.scanAccumulatorMerge(accumulator, own, kind)
      totals.keep(rowGroup, ordinal, hiddenCount, own)
    },
  }
}

/** Whether zone maps speak of the column, which is not computed: in a file older than it only where its rows are null there. */
function isInZones({ shape: { missing } }: ReadContext, maps: ZoneMaps, ordinal: number | undefined): ordinal is number {
  return ordinal !== undefined && (maps.zoneMap(ordinal) !== 0 || missing.cell(ordinal) === undefined)
}

function textAggregate(context: ReadContext, ordinal: number | undefined, vectorOf: VectorOf): ColumnAggregate {
  const { memory } = context.kernel
  const zonesOf = zonesByFile(ordinal)
  let count = 0
  let min: Uint8Array | undefined, max: Uint8Array | undefined
  const addExtremes = (smallest: Uint8Array, largest: Uint8Array): void => {
    if (min === undefined || Buffer.compare(smallest, min) < 0) min = smallest.slice()
    if (max === undefined || Buffer.compare(largest, max) > 0) max = largest.slice()
  }
  return {
    add(rows, selection, _, arena) {
      const vector = vectorOf(rows, selection, arena)
      if (vector.kind !== 'bytes') return
      const { u8, u32 } = memory
      for (let row = 0; row < rows.rowCount; row++) {
        if ((selection !== 0 && !bitAt(u8, selection, row)) || bitAt(u8, vector.nulls, row)) continue
        const ref = (vector.refs >>> 2) + 2 * row
        const text = u8.subarray(u32[ref], u32[ref]! + u32[ref + 1]!)
        addExtremes(text, text)
        count++
      }
    },
    canAddZone(maps, rowGroup, functions) {
      if (!isInZones(context, maps, ordinal)) return false
      if (!functions.has('min') && !functions.has('max')) return true
      return valuesIn(memory, zonesOf(maps), rowGroup) === 0 || maps.textExtremes(rowGroup, ordinal) !== undefined
    },
    addZone(maps, rowGroup) {
      const values = valuesIn(memory, zonesOf(maps), rowGroup)
      if (values === 0) return
      const extremes = ordinal === undefined ? undefined : maps.textExtremes(rowGroup, ordinal)
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
  readonly maps: ZoneMaps
  /** 0 in a file older than the column. */
  readonly map: Pointer
  readonly fields: ReturnType<typeof zoneMapFields>
}

function zonesByFile(ordinal: number | undefined): (maps: ZoneMaps) => ColumnZones {
  let last: ColumnZones | undefined
  return (maps) => (last?.maps === maps ? last : (last = { maps, map: ordinal === undefined ? 0 : maps.zoneMap(ordinal), fields: zoneMapFields(maps.meta.rowGroupCount) }))
}

/** How many live rows of a row group have a value; none in a file older than the column. */
function valuesIn({ u32 }: LinearMemory, { maps, map, fields }: ColumnZones, rowGroup: number): number {
  return map === 0 ? 0 : u32[(maps.liveRowCounts >>> 2) + rowGroup]! - u32[((map + fields.nulls) >>> 2) + rowGroup]!
}

/** Four bytes at a time: as numbers, 64-bit patterns would cost a BigInt each. */
function copyWords(u32: Uint32Array, from: Pointer, to: Pointer, count: number): void {
  for (let i = 0; i < count; i++) u32[(to >>> 2) + i] = u32[(from >>> 2) + i]!
}
