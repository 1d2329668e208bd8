/** Random transactions, as one text here and statement by statement in SQLite: some end at their first error, some are rolled back. */
import { LsmtError } from '../../../src/errors.ts'
import type { CollectedResult } from '../../../src/sql/result.ts'
import { difference, referenceRows, writeDifference } from './compare-answers.ts'
import type { RowOrder, Rows } from './compare-answers.ts'
import type { Text } from './dialect.ts'
import type { Generator } from './expression.ts'
import { randomQuery } from './query.ts'
import type { Reference, Written } from './reference.ts'
import { chance } from './schema.ts'
import { randomWrite } from './write.ts'

type Step =
  | { readonly kind: 'write'; readonly text: Text; readonly written: Written }
  | { readonly kind: 'query'; readonly text: Text; readonly order: RowOrder | undefined; readonly rows: Rows }
  /** A step that both must refuse; the last one. */
  | { readonly kind: 'refused'; readonly text: Text }

export interface RandomTransaction {
  readonly text: Text
  /** What is wrong with the results, or the error, of the text; undefined when nothing is. */
  difference(results: readonly CollectedResult[] | LsmtError): string | undefined
}

/** Makes one and runs it in the reference. */
export function randomTransaction(generator: Generator, reference: Reference): RandomTransaction {
  reference.write('BEGIN')
  const steps = randomSteps(generator, reference)
  const isRefused = steps.at(-1)?.kind === 'refused'
  const end = !isRefused && chance(generator.random, 70) ? 'COMMIT' : 'ROLLBACK'
  reference.write(end)
  const whole = (texts: readonly string[]): string => ['BEGIN', ...texts, end].join('; ')
  return {
    text: { lsmt: whole(steps.map(({ text }) => text.lsmt)), sqlite: whole(steps.map(({ text }) => text.sqlite)) },
    difference(results) {
      if (results instanceof LsmtError) return isRefused && ['23505', '23502'].includes(results.code) ? undefined : `${results.code} ${results.message}`
      if (isRefused) return 'SQLite refused its last statement by a constraint, lsmt did not'
      return steps.map((step, i) => stepDifference(step, results[i + 1]!)).find((wrong) => wrong !== undefined)
    },
  }
}

function randomSteps(generator: Generator, reference: Reference): readonly Step[] {
  const steps: Step[] = []
  for (let left = 1 + generator.random.below(6); left > 0; left--) {
    if (chance(generator.random, 35)) {
      const { text, order } = randomQuery(generator)
      steps.push({ kind: 'query', text, order, rows: reference.rows(text.sqlite) })
      continue
    }
    const text = randomWrite(generator)
    const written = reference.write(text.sqlite)
    if (written === undefined) return [...steps, { kind: 'refused', text }]
    steps.push({ kind: 'write', text, written })
  }
  return steps
}

function stepDifference(step: Step, result: CollectedResult): string | undefined {
  if (step.kind === 'refused') return undefined
  const wrong = step.kind === 'query' ? difference(referenceRows(result), step.rows, step.order) : writeDifference(result, step.written)
  return wrong === undefined ? undefined : `${step.text.lsmt}\n  ${wrong}`
}
