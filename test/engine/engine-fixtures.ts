/** What the conformance suites of engines share: tables in short, whole scans, whole aggregates. */
import type { EngineAggregate, EngineColumn, EngineColumns, EngineGroupedAggregate, EngineOrder, EngineRow, EngineScan, EngineSession, NewTable, WantedGroups } from '../../src/engine/engine.ts'
import type { ColumnType, TableSchema } from '../../src/engine/schema.ts'

/** Columns from `name kind` pairs. */
export function newTable(name: string, columns: Readonly<Record<string, ColumnType['kind']>>, primaryKey: readonly string[], onInsert: NewTable['onInsert'] = 'error'): NewTable {
  const names = Object.keys(columns)
  return {
    name,
    columns: names.map((column) => ({ name: column, type: columnType(columns[column]!), notNull: false })),
    primaryKey: primaryKey.map((column) => names.indexOf(column)),
    onInsert,
  }
}

function columnType(kind: ColumnType['kind']): ColumnType {
  return kind === 'numeric' ? { kind, precision: 18, scale: 2 } : { kind }
}

export async function scanAll(engine: EngineSession, table: TableSchema, scan: Partial<EngineScan> = {}): Promise<EngineRow[]> {
  const snapshot = engine.snapshot()
  try {
    const rows: EngineRow[] = []
    const columns = table.columns.map((_, ordinal) => ordinal)
    for await (const page of engine.scan(snapshot, { table, ordered: true, columns, predicate: [], ...scan })) rows.push(...page)
    return rows
  } finally {
    snapshot.release()
  }
}

export async function aggregateAll(engine: EngineSession, table: TableSchema, aggregates: readonly EngineAggregate[], scan: Partial<EngineScan> = {}): Promise<EngineRow> {
  const snapshot = engine.snapshot()
  try {
    return await engine.aggregate(snapshot, { table, ordered: false, columns: [], predicate: [], ...scan }, aggregates)
  } finally {
    snapshot.release()
  }
}

export async function groupAll(engine: EngineSession, table: TableSchema, groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[], scan: Partial<EngineScan> = {}, wanted?: WantedGroups): Promise<EngineRow[]> {
  const snapshot = engine.snapshot()
  try {
    const rows: EngineRow[] = []
    for await (const batch of engine.groupedAggregate(snapshot, { table, ordered: false, columns: [], predicate: [], ...scan }, groupBy, aggregates, undefined, wanted)) rows.push(...batch)
    return rows
  } finally {
    snapshot.release()
  }
}

export async function topAll(engine: EngineSession, table: TableSchema, order: readonly EngineOrder[], limit: number, scan: Partial<EngineScan> = {}): Promise<readonly EngineRow[]> {
  const snapshot = engine.snapshot()
  try {
    return await engine.topRows(snapshot, { table, ordered: false, columns: [], predicate: [], ...scan }, order, limit)
  } finally {
    snapshot.release()
  }
}

/** Rows by column: typed arrays where all values of a column are of one kind, lists where they are not. */
export function toColumns(rows: readonly EngineRow[], width: number): EngineColumns {
  const columns = Array.from({ length: width }, (_, i): EngineColumn => {
    const values = rows.map((row) => row[i]!)
    const given = values.filter((value) => value !== null)
    const nulls = given.length < values.length ? { nulls: Uint8Array.from(values, (value) => (value === null ? 1 : 0)) } : {}
    if (given.length > 0 && given.every((value) => typeof value === 'number')) return { values: Float64Array.from(values, (value) => Number(value)), ...nulls }
    if (given.length > 0 && given.every((value) => typeof value === 'bigint' || Number.isSafeInteger(value))) return { values: BigInt64Array.from(values, (value) => BigInt((value as bigint | number | null) ?? 0)), ...nulls }
    return { values }
  })
  return { rowCount: rows.length, columns }
}
