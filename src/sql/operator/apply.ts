/** Subqueries: computed for each row that they depend on, once for rows that look alike to them. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { BoundSubquery, OuterReference } from '../expression/bound.ts'
import { cellOf, compile } from '../expression/compile.ts'
import type { Cell, Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import { hold, pace } from './query-run.ts'
import type { QueryRun, Stream } from './query-run.ts'

/** What a subquery gave, as far as its test needs to know. */
type Answer = (row: EngineRow) => EngineValue

interface Prepared {
  readonly subquery: BoundSubquery
  readonly stream: Stream
  readonly operand: Evaluate | undefined
  readonly cells: readonly { readonly cell: Cell; readonly reference: OuterReference; readonly local: boolean }[]
  readonly answers: Map<EngineValue, Answer>
}

const answersMax = 10_000

/** `prepare` makes the subquery's own operators. */
export function apply(subqueries: readonly BoundSubquery[], input: Stream, run: QueryRun, prepare: (subquery: BoundSubquery) => Stream): Stream {
  const prepared = subqueries.map((subquery): Prepared => ({
    subquery,
    stream: prepare(subquery),
    operand: subquery.operand === undefined ? undefined : compile(subquery.operand, run),
    cells: subquery.outer.map(({ reference, local }) => ({ reference, local, cell: cellOf(run, reference) })),
    answers: new Map(),
  }))
  return async function* () {
    for await (const batch of input()) {
      await pace(run, batch.length)
      const rows: EngineRow[] = []
      for (const row of batch) rows.push(await extended(prepared, row, run))
      yield rows
    }
  }
}

async function extended(prepared: readonly Prepared[], row: EngineRow, run: QueryRun): Promise<EngineRow> {
  const longer = row.slice()
  for (const each of prepared) {
    for (const { cell, reference, local } of each.cells) if (local) cell.value = longer[reference.place.index]!
    const key = each.cells.length === 0 ? '' : keyOfAll(each.cells.map(({ cell }) => cell.value))
    let answer = each.answers.get(key)
    if (answer === undefined) {
      answer = await answerOf(each, run)
      if (each.answers.size >= answersMax) each.answers.clear()
      each.answers.set(key, answer)
    }
    longer.push(answer(longer))
  }
  return longer
}

async function answerOf({ subquery, stream, operand }: Prepared, run: QueryRun): Promise<Answer> {
  switch (subquery.test) {
    case 'exists': {
      const exists = await hasRow(stream)
      return () => exists
    }
    case 'scalar': {
      const value = await onlyValue(stream)
      return () => value
    }
    case 'in':
      return memberAnswer(await valuesOf(stream, run), operand!)
  }
}

async function hasRow(stream: Stream): Promise<EngineValue> {
  for await (const batch of stream()) if (batch.length > 0) return 1
  return 0
}

async function onlyValue(stream: Stream): Promise<EngineValue> {
  let found: EngineRow | undefined
  for await (const batch of stream()) {
    if (batch.length === 0) continue
    if (found !== undefined || batch.length > 1) throw new LsmtError('21000', 'a subquery used as a value gave more than one row')
    found = batch[0]
  }
  return found === undefined ? null : found[0]!
}

async function valuesOf(stream: Stream, run: QueryRun): Promise<ReadonlySet<EngineValue>> {
  const values = new Set<EngineValue>()
  for await (const batch of stream()) {
    for (const row of batch) {
      const key = keyOf(row[0]!)
      if (values.has(key)) continue
      hold(run, row)
      values.add(key)
    }
  }
  return values
}

function memberAnswer(values: ReadonlySet<EngineValue>, operand: Evaluate): Answer {
  if (values.size === 0) return () => 0
  const otherwise = values.has(null) ? null : 0
  return (row) => {
    const value = operand(row)
    if (value === null) return null
    return values.has(keyOf(value)) ? 1 : otherwise
  }
}
