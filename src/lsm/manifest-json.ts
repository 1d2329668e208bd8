/** A tree's state as JSON values and back. Reading checks every field and how the fields hang together; what is wrong is named by its path. */
import { decodeValue, encodeValue, physicalKindNumber } from './layout.ts'
import type { MissingValue, PhysicalKind, TableLayout } from './layout.ts'
import type { ManifestState } from './manifest.ts'
import type { TableMeta } from './table/table.ts'

type Json = Readonly<Record<string, unknown>>

export function manifestToJson(state: ManifestState): Json {
  const levelsToJson = (levels: readonly (readonly TableMeta[])[]): unknown => levels.map((level) => level.map(metaToJson))
  return {
    id: state.id,
    shard: state.shard,
    writerEpoch: state.writerEpoch,
    flushedSequence: state.flushedSequence,
    nextFileNumber: state.nextFileNumber,
    maxTableId: state.maxTableId,
    layouts: state.layouts.map(layoutToJson),
    tables: state.tables.map(({ tableId, levels }) => ({ tableId, levels: levelsToJson(levels) })),
  }
}

function layoutToJson({ tableId, columns, key, missing }: TableLayout): Json {
  const values = missing?.map(({ ordinal, value }) => ({ ordinal, value: base64Of(encodeValue(columns[ordinal]!, value)) }))
  return { tableId, columns, key, ...(values !== undefined && { missing: values }) }
}

function metaToJson(meta: TableMeta): Json {
  return { ...meta, minKey: base64Of(meta.minKey), maxKey: base64Of(meta.maxKey) }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

/** Raises an Error that names the first field which is not as it must be. */
export function manifestFromJson(json: unknown): ManifestState {
  const from = objectAt(json, 'manifest')
  const state: ManifestState = {
    id: countAt(from, 'id', 'manifest'),
    shard: countAt(from, 'shard', 'manifest'),
    writerEpoch: countAt(from, 'writerEpoch', 'manifest'),
    flushedSequence: countAt(from, 'flushedSequence', 'manifest'),
    nextFileNumber: countAt(from, 'nextFileNumber', 'manifest'),
    maxTableId: countAt(from, 'maxTableId', 'manifest'),
    layouts: arrayAt(from, 'layouts', 'manifest').map((layout, i) => layoutFromJson(layout, `layouts[${i}]`)),
    tables: arrayAt(from, 'tables', 'manifest').map((table, i) => tableFromJson(table, `tables[${i}]`)),
  }
  checkTogether(state)
  return state
}

function layoutFromJson(json: unknown, path: string): TableLayout {
  const from = objectAt(json, path)
  const columns = arrayAt(from, 'columns', path).map((kind, i) => {
    demand(typeof kind === 'string' && Object.hasOwn(physicalKindNumber, kind), `${path}.columns[${i}]`, 'a physical kind', kind)
    return kind as PhysicalKind
  })
  const key = arrayAt(from, 'key', path).map((ordinal, i) => {
    demand(isCount(ordinal) && ordinal < columns.length, `${path}.key[${i}]`, 'an ordinal', ordinal)
    return ordinal
  })
  const missing = from['missing'] === undefined ? undefined : arrayAt(from, 'missing', path).map((value, i) => missingFromJson(value, columns, `${path}.missing[${i}]`))
  return { tableId: countAt(from, 'tableId', path), columns, key, ...(missing !== undefined && { missing }) }
}

function missingFromJson(json: unknown, columns: readonly PhysicalKind[], path: string): MissingValue {
  const from = objectAt(json, path)
  const ordinal = countAt(from, 'ordinal', path), kind = columns[ordinal], bytes = bytesAt(from, 'value', path)
  demand(kind !== undefined, `${path}.ordinal`, 'an ordinal', ordinal)
  demand(kind === 'bytes' || bytes.length === 8, `${path}.value`, '8 bytes', bytes.length)
  return { ordinal, value: decodeValue(kind, bytes) }
}

function tableFromJson(json: unknown, path: string): ManifestState['tables'][number] {
  const from = objectAt(json, path)
  const tableId = countAt(from, 'tableId', path)
  const levels = arrayAt(from, 'levels', path).map((level, i) => {
    demand(Array.isArray(level), `${path}.levels[${i}]`, 'a list', level)
    return level.map((meta, j) => metaFromJson(meta, `${path}.levels[${i}][${j}]`, tableId))
  })
  return { tableId, levels }
}

function metaFromJson(json: unknown, path: string, tableId: number): TableMeta {
  const from = objectAt(json, path)
  const meta: TableMeta = {
    fileNumber: countAt(from, 'fileNumber', path),
    tableId: countAt(from, 'tableId', path),
    byteLength: countAt(from, 'byteLength', path),
    tailBytes: countAt(from, 'tailBytes', path),
    rowCount: countAt(from, 'rowCount', path),
    tombstoneCount: countAt(from, 'tombstoneCount', path),
    rowGroupCount: countAt(from, 'rowGroupCount', path),
    minKey: bytesAt(from, 'minKey', path),
    maxKey: bytesAt(from, 'maxKey', path),
    minSequence: countAt(from, 'minSequence', path),
    maxSequence: countAt(from, 'maxSequence', path),
    rangeTombstoneCount: countAt(from, 'rangeTombstoneCount', path),
  }
  demand(meta.tableId === tableId, `${path}.tableId`, String(tableId), meta.tableId)
  demand(meta.tailBytes <= meta.byteLength, `${path}.tailBytes`, `at most ${meta.byteLength}`, meta.tailBytes)
  demand(Buffer.compare(meta.minKey, meta.maxKey) <= 0, `${path}.maxKey`, 'a key from minKey on', from['maxKey'])
  demand(meta.minSequence <= meta.maxSequence, `${path}.maxSequence`, `at least ${meta.minSequence}`, meta.maxSequence)
  return meta
}

/** File numbers are used once and lie below the next one; a table has one layout and one entry at most. */
function checkTogether({ tables, layouts, nextFileNumber }: ManifestState): void {
  const numbers = tables.flatMap((table) => table.levels.flat().map((meta) => meta.fileNumber))
  for (const number of numbers) demand(number < nextFileNumber, 'nextFileNumber', `more than ${number}`, nextFileNumber)
  demand(new Set(numbers).size === numbers.length, 'tables', 'each file number once', numbers.join())
  for (const [name, list] of [['tables', tables], ['layouts', layouts]] as const) {
    const ids = list.map((entry) => entry.tableId)
    demand(new Set(ids).size === ids.length, name, 'each table id once', ids.join())
  }
}

function demand(good: boolean, path: string, expected: string, actual: unknown): asserts good {
  if (!good) throw new Error(`${path}: expected ${expected}, found ${JSON.stringify(actual) ?? 'nothing'}`)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function objectAt(value: unknown, path: string): Json {
  demand(typeof value === 'object' && value !== null && !Array.isArray(value), path, 'an object', value)
  return value as Json
}

function arrayAt(from: Json, field: string, path: string): readonly unknown[] {
  const value = from[field]
  demand(Array.isArray(value), `${path}.${field}`, 'a list', value)
  return value
}

function countAt(from: Json, field: string, path: string): number {
  const value = from[field]
  demand(isCount(value), `${path}.${field}`, 'an integer from 0', value)
  return value
}

function bytesAt(from: Json, field: string, path: string): Uint8Array {
  const value = from[field]
  demand(typeof value === 'string', `${path}.${field}`, 'base64', value)
  const bytes = Buffer.from(value, 'base64')
  demand(bytes.toString('base64') === value, `${path}.${field}`, 'base64', value)
  return new Uint8Array(bytes)
}
