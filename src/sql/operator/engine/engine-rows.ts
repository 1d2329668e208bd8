/**
 * Queries whose rows are those of one scan, or a window of them, each with columns of it: whoever makes objects of their
 * rows has them by column from the engine, so that no row is made in between.
 */
import type { EngineExpression, EngineValue } from '../../../engine/engine.ts'
import type { RowColumns } from '../../../engine/engine-walk.ts'
import type { ScanRange } from '../../execute/bounds.ts'
import { splitCondition } from '../../vector/filter.ts'
import type { QueryNode, ScanNode } from '../node.ts'
import { pace, readStatsOf, snapshotOf } from '../query-run.ts'
import type { QueryRun } from '../query-run.ts'
import { engineScan, scanAccess } from '../scan.ts'
import { rowWindow } from '../window.ts'
import type { RowWindow } from '../window.ts'

export type ColumnStream = () => AsyncIterable<RowColumns<EngineValue>>

/**
 * undefined for another form, for rows that are looked up by their keys, and where something is left to be checked of each
 * row. `rowsMax`: no more rows will be taken.
 */
export function columnStream(node: QueryNode, run: QueryRun, rowsMax?: number): ColumnStream | undefined {
  if (node.kind === 'limit') return limitedColumns(node, run)
  const below = node.kind === 'project' ? node.input : node
  const scan = below.kind === 'filter' ? below.input : below
  if (scan.kind !== 'scan') return undefined
  const places = node.kind === 'project' ? placesOf(node) : undefined
  if (node.kind === 'project' && places === undefined) return undefined
  const access = scanAccess(scan, run)
  if (access.kind !== 'ranges') return undefined
  const { pushed, rest } = splitCondition({ table: scan.table, columns: scan.columns, run, wide: false }, below.kind === 'filter' ? below.condition : undefined, rowsMax !== undefined)
  return rest === undefined ? () => readColumns({ scan, ranges: access.ranges, conditions: pushed, places, rowsMax }, run) : undefined
}

function limitedColumns({ input, window: given }: Extract<QueryNode, { kind: 'limit' }>, run: QueryRun): ColumnStream | undefined {
  const window = rowWindow(given, run.values)
  const rows = columnStream(input, run, window.limit === undefined ? undefined : window.limit + window.offset)
  return rows && (() => windowColumns(window, rows))
}

async function* windowColumns({ offset, limit }: RowWindow, input: ColumnStream): AsyncGenerator<RowColumns<EngineValue>> {
  let skip = offset, left = limit ?? Number.POSITIVE_INFINITY
  if (left === 0) return
  for await (const rows of input()) {
    const first = Math.min(skip, rows.rowCount), rowCount = Math.min(left, rows.rowCount - first)
    skip -= first
    left -= rowCount
    if (rowCount > 0) yield rowCount === rows.rowCount ? rows : { rowCount, columns: rows.columns.map((values) => values.slice(first, first + rowCount)) }
    if (left === 0) return
  }
}

/** By column of the result: the scan's column that it is; undefined when one is computed. */
function placesOf({ expressions }: Extract<QueryNode, { kind: 'project' }>): readonly number[] | undefined {
  const places: number[] = []
  for (const expression of expressions) {
    if (expression.kind !== 'column') return undefined
    places.push(expression.place.index)
  }
  return places
}

interface ColumnRead {
  readonly scan: ScanNode
  readonly ranges: readonly ScanRange[]
  readonly conditions: readonly EngineExpression[]
  readonly places: readonly number[] | undefined
  readonly rowsMax: number | undefined
}

async function* readColumns({ scan, ranges, conditions, places, rowsMax }: ColumnRead, run: QueryRun): AsyncGenerator<RowColumns<EngineValue>> {
  let left = rowsMax
  for (const range of scan.reverse ? ranges.toReversed() : ranges) {
    for await (const rows of run.engine.scanColumns(snapshotOf(run), engineScan(scan, range, conditions, run, left), readStatsOf(run, scan))) {
      await pace(run, rows.rowCount)
      yield places === undefined ? rows : { rowCount: rows.rowCount, columns: places.map((place) => rows.columns[place]!) }
      if (left !== undefined) left -= rows.rowCount
    }
    if (left !== undefined && left <= 0) return
  }
}
