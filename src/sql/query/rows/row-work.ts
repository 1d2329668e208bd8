/** Rows that a statement has at hand, as the first table of a query over them. */
import type { Bound } from '../../expression/bound.ts'
import { bigintType } from '../../expression/type.ts'
import type { QueryNode } from '../../operator/node.ts'
import type { FromUnit } from '../from-unit.ts'
import { narrowRows } from './narrow-rows.ts'
import type { FromColumn, Leaf } from '../scope.ts'

/**
 * The number and the values of each row at hand that satisfies the conditions, joined with `from`. Columns of `leaves`
 * are columns of the row by their ordinals.
 */
export function rowWork(leaves: readonly Leaf[], from: FromUnit | undefined, conditions: readonly Bound[], values: readonly Bound[]): QueryNode {
  const columns = leaves.flatMap((leaf) => leaf.columns.filter(({ isUsed }) => isUsed))
  const number: FromColumn = { name: '', type: bigintType, ordinal: -1, place: { index: -1 }, isUsed: true }
  const leaf: Leaf = { alias: '', columns: [...columns, number], source: { kind: 'query', node: { kind: 'given', columns: columns.map(({ ordinal }) => ordinal) }, depends: false }, terms: [], hints: [], isNullable: false }
  const given: FromUnit = { kind: 'leaf', leaf }
  const unit: FromUnit = from === undefined ? given : { kind: 'forest', units: [given, from], conditions: [] }
  const { node, layout } = narrowRows(unit, conditions, { ordered: false, reverse: false })
  const [input, expressions] = layout.prepare(node, [{ kind: 'column', place: number.place, name: '', type: number.type, at: -1 }, ...values])
  return { kind: 'project', input, expressions }
}
