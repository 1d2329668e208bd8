/** WHERE and HAVING: what a scan can evaluate goes down to it, the rest is evaluated row by row. */
import type { EngineExpression } from '../../engine/engine.ts'
import type { Access } from '../execute/access.ts'
import type { Bound } from '../expression/bound.ts'
import { compile } from '../expression/compile.ts'
import { splitCondition } from '../vector/filter.ts'
import type { SplitCondition } from '../vector/filter.ts'
import type { QueryNode } from './node.ts'
import type { QueryRun, Stream } from './query-run.ts'
import { scanAccess } from './scan.ts'
import { filtered } from './set.ts'

/** `open` makes the input's stream; of a scan with conditions, and with a limit when nothing is left to be checked above. */
export function filter({ input, condition }: Extract<QueryNode, { kind: 'filter' }>, open: (rowsMax: number | undefined, conditions: readonly EngineExpression[], access: Access | undefined) => Stream, run: QueryRun, rowsMax: number | undefined): Stream {
  const access = input.kind === 'scan' ? scanAccess(input, run) : undefined
  const { pushed, rest }: SplitCondition = input.kind === 'scan' && access?.kind !== 'keys' ? splitCondition({ table: input.table, columns: input.columns, run, wide: false }, condition, rowsMax !== undefined) : { pushed: [], rest: condition }
  if (rest === undefined) return open(rowsMax, pushed, access)
  return checked(rest, open(undefined, pushed, access), run)
}

/** The rows of which a condition is true. */
export function checked(condition: Bound, rows: Stream, run: QueryRun): Stream {
  const holds = compile(condition, run)
  return filtered(rows, run, (row) => holds(row) === 1)
}
