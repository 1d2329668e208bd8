/** Joins as people read them: which side is held, or read by its keys. */
import { accessOf } from '../execute/access.ts'
import type { KeyedSide } from '../operator/lookup/keyed-side.ts'
import { keysAlways } from '../operator/lookup/lookup-cost.ts'
import { lookupSides } from '../operator/lookup/lookup-join.ts'
import type { JoinNode, QueryNode } from '../operator/node.ts'
import { rowWindow } from '../operator/window.ts'
import { conjunction } from '../query/from-tree.ts'
import type { Values } from '../value/values.ts'
import { columnNames, subqueryNames } from './column-names.ts'
import type { Describer, Description } from './describer.ts'
import { describeLookups, tableTitle } from './describe-scan.ts'
import type { Detail, ExplainNode } from './explain-node.ts'
import { printExpression } from './print-expression.ts'

const joinNames = { inner: '', left: ' Left', full: ' Full' } as const

/** `describe` tells of an input, `withActual` adds what a node did; `asked` are the subqueries of ON. */
export function describeJoin(describer: Describer, node: JoinNode, asked: readonly ExplainNode[], describe: (input: QueryNode) => ExplainNode, withActual: (node: QueryNode, description: Description) => ExplainNode): Description {
  const { values, qualified, probe } = describer
  const [left, right] = [columnNames(node.left, values, qualified), columnNames(node.right, values, qualified)]
  const keys: readonly Detail[] = node.keys.length === 0 ? [] : [['Join Key', node.keys.map((key) => `${printExpression(key.left, left, values)} = ${printExpression(key.right, right, values)}`).join(' AND ')]]
  const conditions = [node.residual, node.asks?.condition].filter((condition) => condition !== undefined)
  const names = [...left, ...right, ...subqueryNames(node.asks?.subqueries ?? [])]
  const condition = conjunction(conditions)
  const residual: readonly Detail[] = condition === undefined ? [] : [['Join Filter', printExpression(condition, names, values)]]
  const sides = lookupsOf(node, values)
  const sure = probe === undefined ? sureSide(node, sides, values) : probe.lookedUp.get(node)
  const lookups = (keyed: KeyedSide, others: readonly string[], own: readonly string[]): ExplainNode => {
    const described = describeLookups(keyed.scan, keyed.keys.map((key) => printExpression(key, others, values)), values)
    const scan = withActual(keyed.scan, { ...described, children: [] })
    return keyed.filter === undefined ? scan : withActual(keyed.filter, { title: 'Filter', details: [['Condition', printExpression(keyed.filter.condition, own, values)]], children: [scan] })
  }
  const name = joinNames[node.join]
  if (sure === 'right') return { title: `Index Lookup${name} Join using the primary key of ${tableTitle(sides.right!.scan)}`, details: [...keys, ...residual], children: [describe(node.left), lookups(sides.right!, left, right), ...asked] }
  if (sure === 'left') return { title: `Index Lookup${name} Join using the primary key of ${tableTitle(sides.left!.scan)}`, details: [...keys, ...residual], children: [lookups(sides.left!, right, left), { ...describe(node.right), relation: 'held' }] }
  const possible: readonly Detail[] = probe !== undefined ? [] : [sides.right, sides.left].flatMap((side): readonly Detail[] => (side === undefined ? [] : [['Index Lookup', `using the primary key of ${tableTitle(side.scan)} instead, while few rows of the other side are needed`]]))
  return { title: `${node.keys.length === 0 ? 'Nested Loop' : 'Hash'}${name} Join`, details: [...keys, ...residual, ...possible], children: [describe(node.left), { ...describe(node.right), relation: 'held' }, ...asked] }
}

type Sides = ReturnType<typeof lookupSides>

function lookupsOf(node: JoinNode, values: Values): Sides {
  const { left, right } = lookupSides(node)
  const readable = (side: KeyedSide | undefined): KeyedSide | undefined => (side !== undefined && accessOf(side.scan.table, side.scan.terms, side.scan.hints, values).kind === 'ranges' ? side : undefined)
  return { left: readable(left), right: readable(right) }
}

/** The side that will be read by its keys, as the other one cannot have many rows. */
function sureSide(node: JoinNode, { left, right }: Sides, values: Values): 'left' | 'right' | undefined {
  if (right !== undefined && rowsAtMost(node.left, values) <= keysAlways) return 'right'
  return left !== undefined && right === undefined && rowsAtMost(node.right, values) <= keysAlways ? 'left' : undefined
}

function rowsAtMost(node: QueryNode, values: Values): number {
  switch (node.kind) {
    case 'scan': {
      const access = accessOf(node.table, node.terms, node.hints, values)
      return access.kind === 'keys' ? access.keys.length : access.kind === 'nothing' ? 0 : Number.POSITIVE_INFINITY
    }
    case 'values':
      return node.rows.length
    case 'limit':
      return Math.min(rowWindow(node.window, values).limit ?? Number.POSITIVE_INFINITY, rowsAtMost(node.input, values))
    case 'group':
      return node.keys.length === 0 ? 1 : rowsAtMost(node.input, values)
    case 'common':
      return rowsAtMost(node.plan.node, values)
    case 'filter':
    case 'gate':
    case 'apply':
    case 'project':
    case 'distinct':
    case 'sort':
      return rowsAtMost(node.input, values)
    case 'given':
    case 'join':
    case 'set':
      return Number.POSITIVE_INFINITY
  }
}
