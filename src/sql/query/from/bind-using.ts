/** USING and NATURAL JOIN: columns that both sides of a join have become one. */
import type { Bound } from '../../expression/bound.ts'
import { bindComparison } from '../../expression/operator.ts'
import { commonType, valueTypeName } from '../../expression/type.ts'
import { errorAt } from '../../origin.ts'
import type { Name } from '../../syntax/names.ts'
import type { FromItem } from '../../syntax/query/query.ts'
import { findColumn, visibleBound } from '../scope.ts'
import type { Nameable, StatementContext, VisibleColumn } from '../scope.ts'

type JoinItem = Extract<FromItem, { kind: 'join' }>

/** Of NATURAL JOIN: the columns of the left side that the right one has as well. */
export function usingNames({ using, at }: JoinItem, left: Nameable, right: Nameable): readonly Name[] {
  if (using !== 'natural') return using ?? []
  const shared = left.visible.filter(({ name }) => right.visible.some((column) => column.name === name))
  return [...new Set(shared.map(({ name }) => name))].map((name) => ({ name, tokenIndex: at }))
}

interface UsingPair {
  readonly name: Name
  readonly left: VisibleColumn
  readonly right: VisibleColumn
}

/** The columns come first among those of the join, each once: the value of the side whose rows are all kept. */
export function bindUsing(context: StatementContext, join: JoinItem['join'], using: readonly Name[], left: Nameable, right: Nameable): { readonly conditions: readonly Bound[]; readonly names: Nameable } {
  const pairs = using.map((name): UsingPair => ({ name, left: usingColumn(context, left, name), right: usingColumn(context, right, name) }))
  const twice = using.find(({ name }, index) => using.findIndex((other) => other.name === name) < index)
  if (twice !== undefined) throw errorAt(context.origin, twice.tokenIndex, '42701', `column "${twice.name}" stands twice in USING`)
  const conditions = pairs.map((pair) => usingCondition(context, pair))
  const rest = [...left.visible, ...right.visible].filter((column) => !pairs.some((pair) => pair.left === column || pair.right === column))
  return { conditions, names: { leaves: [...left.leaves, ...right.leaves], visible: [...pairs.map((pair) => mergedColumn(join, pair)), ...rest] } }
}

function usingColumn(context: StatementContext, names: Nameable, name: Name): VisibleColumn {
  const column = findColumn({ context, names }, { name })
  if (column === undefined) throw errorAt(context.origin, name.tokenIndex, '42703', `column "${name.name}" of USING is not on both sides of the join`)
  return column
}

/** At the type at which the two meet; of an inner join either will do, so one that has it already. */
function mergedColumn(join: JoinItem['join'], { name: { name }, left, right }: UsingPair): VisibleColumn {
  if (join === 'full') return { name, sources: [...left.sources, ...right.sources] }
  const [leftType, rightType] = [visibleType(left), visibleType(right)]
  const type = commonType(leftType, rightType)!
  const isRight = join === 'right' || (join !== 'left' && type !== leftType && type === rightType)
  const { sources } = isRight ? right : left
  return type === (isRight ? rightType : leftType) ? (isRight ? right : left) : { name, sources, type }
}

function visibleType(column: VisibleColumn): Bound['type'] {
  return column.sources.length === 1 ? (column.type ?? column.sources[0]!.type) : visibleBound(column, -1).type
}

function usingCondition({ origin }: StatementContext, { name: { name, tokenIndex }, left, right }: UsingPair): Bound {
  const [a, b] = [visibleBound(left, tokenIndex), visibleBound(right, tokenIndex)]
  if (commonType(a.type, b.type) === undefined) throw errorAt(origin, tokenIndex, '42804', `column "${name}" is of type ${valueTypeName(a.type)} on one side of the join and of type ${valueTypeName(b.type)} on the other`)
  return bindComparison('=', a, b)
}
