/** The rows of FROM that satisfy WHERE: conditions that ask subqueries come last. */
import type { Bound } from '../../expression/bound.ts'
import type { QueryNode } from '../../operator/node.ts'
import { buildFrom, filtered } from '../from-tree.ts'
import type { ScanOrder } from '../from-tree.ts'
import type { FromUnit } from '../from-unit.ts'
import { createRowLayout, hasSubquery } from '../row-layout.ts'
import type { RowLayout } from '../row-layout.ts'

export interface NarrowedRows {
  readonly node: QueryNode
  readonly layout: RowLayout
}

/** Without a FROM there is one empty row. */
export function narrowRows(unit: FromUnit | undefined, conditions: readonly Bound[], order: ScanOrder): NarrowedRows {
  const plain = conditions.filter((condition) => !hasSubquery(condition))
  const asking = conditions.filter(hasSubquery)
  const from = unit === undefined ? undefined : buildFrom(unit, plain, order)
  const layout = createRowLayout(from?.width ?? 0)
  const start: QueryNode = from?.node ?? filtered({ kind: 'values', rows: [[]] }, plain)
  return { node: filtered(...layout.prepare(start, asking)), layout }
}
