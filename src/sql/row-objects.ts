/**
 * Rows as objects by column name. Assignments in one order give all of a result one hidden class; written out for the names
 * at hand they take a third of the time of a loop over names, so that many rows get a function of their own, kept with the plan.
 */
import type { EngineRow } from '../engine/engine.ts'
import { shownAsItIs, userValueOf } from '../engine/user-value.ts'
import type { UserValue } from '../engine/user-value.ts'
import type { RowsAs } from './collect.ts'
import type { ResultColumn } from './plan.ts'

/** By column name; of columns that share a name the last counts. */
export type ResultRow = Readonly<Record<string, UserValue>>

type ToObject = (row: EngineRow) => ResultRow

/** A batch of so many rows is worth a function, which takes about 10 us to make. */
const manyRows = 128

interface Maker {
  toObject: ToObject
  isWritten: boolean
}

const makers = new WeakMap<readonly ResultColumn[], Maker>()

export const rowObjects: RowsAs<ResultRow> = (columns) => {
  const maker = makerOf(columns)
  return (rows, into) => {
    if (rows.length >= manyRows && !maker.isWritten) {
      maker.toObject = write(columns) ?? maker.toObject
      maker.isWritten = true
    }
    const { toObject } = maker
    for (let i = 0; i < rows.length; i++) into.push(toObject(rows[i]!))
  }
}

function makerOf(columns: readonly ResultColumn[]): Maker {
  const known = makers.get(columns)
  if (known !== undefined) return known
  const maker = { toObject: loopOver(columns), isWritten: false }
  makers.set(columns, maker)
  return maker
}

function loopOver(columns: readonly ResultColumn[]): ToObject {
  const names = columns.map(({ name }) => name), shows = columns.map(({ type }) => userValueOf(type))
  // Right for any name, and twenty times as slow.
  if (names.includes('__proto__')) return (row) => Object.fromEntries(row.map((value, i) => [names[i]!, shows[i]!(value)]))
  return (row) => {
    const object: Record<string, UserValue> = {}
    for (let i = 0; i < names.length; i++) object[names[i]!] = shows[i]!(row[i]!)
    return object
  }
}

/** undefined where a process makes no functions of text (`--disallow-code-generation-from-strings`), or a name would not be one of its own. */
function write(columns: readonly ResultColumn[]): ToObject | undefined {
  if (columns.some(({ name }) => name === '__proto__')) return undefined
  const shows = columns.map(({ type }) => userValueOf(type))
  const assignments = columns.map(({ name }, i) => `object[${JSON.stringify(name)}] = ${shows[i] === shownAsItIs ? `row[${i}]` : `shows[${i}](row[${i}])`}`)
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- names are all that comes from outside, as literals of strings
    return new Function('shows', `return (row) => { const object = {}; ${assignments.join('; ')}; return object }`)(shows) as ToObject
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
