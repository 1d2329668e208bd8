/**
 * Queries whose rows are those of one scan, each with columns of it: whoever makes objects of their rows has them by
 * column from the engine, so that no row is made in between.
 */
import type { EngineExpression, EngineValue } from '../../../engine/engine.ts'
import type { RowColumns } from '../../../engine/engine-walk.ts'
import type { ScanRange } from '../../execute/bounds.ts'
import { splitCondition } from '../../vector/filter.ts'
import type { QueryNode, ScanNode } from '../node.ts'
import { pace, readStatsOf, snapshotOf } from '../query-run.ts'
import type { QueryRun } from '../query-run.ts'
import { engineScan, scanAccess } from '../scan.ts'

export type ColumnStream = () => AsyncIterable<RowColumns<EngineValue>>

/** undefined for another form, for rows that are looked up by their keys, and where something is left to be checked of each row. */
export function columnStream(node: QueryNode, run: QueryRun): ColumnStream | undefined {
  const below = node.kind === 'project' ? node.input : node
  const scan = below.kind === 'filter' ? below.input : below
  if (scan.kind !== 'scan') return undefined
  const places = node.kind === 'project' ? placesOf(node) : undefined
  if (node.kind === 'project' && places === undefined) return undefined
  const access = scanAccess(scan, run)
  if (access.kind !== 'ranges') return undefined
  const { pushed, rest } = splitCondition({ table: scan.table, columns: scan.columns, run, wide: false }, below.kind === 'filter' ? below.condition : undefined, false)
  return rest === undefined ? () => readColumns({ scan, ranges: access.ranges, conditions: pushed, places }, run) : undefined
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
}

async function* readColumns({ scan, ranges, conditions, places }: ColumnRead, run: QueryRun): AsyncGenerator<RowColumns<EngineValue>> {
  for (const range of scan.reverse ? ranges.toReversed() : ranges) {
    for await (const rows of run.engine.scanColumns(snapshotOf(run), engineScan(scan, range, conditions, run, undefined), readStatsOf(run, scan))) {
      await pace(run, rows.rowCount)
      yield places === undefined ? rows : { rowCount: rows.rowCount, columns: places.map((place) => rows.columns[place]!) }
    }
  }
}
