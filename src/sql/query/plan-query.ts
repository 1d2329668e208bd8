/** A query as a statement of its own. */
import type { Engine } from '../../engine/engine.ts'
import type { Literals } from '../expression/literal.ts'
import { resultType } from '../expression/type.ts'
import type { QueryNode, ScanNode, Window } from '../operator/node.ts'
import type { Origin } from '../origin.ts'
import type { GetPlan, QueryPlan, ResultColumn } from '../plan.ts'
import type { Query } from '../syntax/query/query.ts'
import { bindQuery } from './bind-query.ts'
import { converted } from './bound-query.ts'
import type { OutputColumn } from './bound-query.ts'
import { newContext } from './scope.ts'

export function planQuery(query: Query, catalog: Pick<Engine, 'table'>, origin: Origin, literals: Literals): QueryPlan {
  const bound = bindQuery(newContext(catalog, origin, literals), query, undefined)
  const columns = bound.output.map(resultColumn)
  const node = converted(bound, bound.output.map(({ type }) => (type.kind === 'interval' ? resultType(type) : type)))
  return pointRead(node, columns) ?? { kind: 'query', node, output: columns }
}

export function resultColumn({ name, type }: OutputColumn): ResultColumn {
  return { name, type: resultType(type) }
}

const everything: Window = { limit: undefined, offset: undefined }

/** The read of one row, when equality on the whole primary key is all of the condition. */
function pointRead(node: QueryNode, output: readonly ResultColumn[]): GetPlan | undefined {
  const { scan, window } = node.kind === 'limit' ? { scan: node.input, window: node.window } : { scan: node, window: everything }
  if (scan.kind !== 'scan') return undefined
  const key = wholeKey(scan)
  return key === undefined ? undefined : { kind: 'get', table: scan.table, output, window, key, columns: scan.columns }
}

function wholeKey({ table, terms }: ScanNode): GetPlan['key'] | undefined {
  const { primaryKey, hiddenKey } = table
  if (hiddenKey || terms.length !== primaryKey.length) return undefined
  const key = primaryKey.map((ordinal) => terms.find((term) => term.ordinal === ordinal && term.comparison === 'eq'))
  if (key.includes(undefined)) return undefined
  return key.map((term) => ({ column: term!.column, operand: term!.operand! }))
}
