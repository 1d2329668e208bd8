import { afterEach, expect, test, vi } from 'vitest'
import { RowObjects } from '../../../src/engine/codec/row-objects.ts'
import type { NamedColumn } from '../../../src/engine/codec/row-objects.ts'

afterEach(() => { vi.unstubAllGlobals() })

const columns: readonly NamedColumn[] = [
  { name: 'id', type: { kind: 'bigint' } }, { name: '__proto__', type: { kind: 'text' } }, { name: '1', type: { kind: 'boolean' } }, { name: 'a "quoted"\n${one}', type: { kind: 'numeric', precision: 9, scale: 2 } }, { name: 'id', type: { kind: 'text' } },
]
const rowCount = 300
const shown = [Array.from({ length: rowCount }, (_, i) => i), Array.from({ length: rowCount }, (_, i) => `p${i}`), Array.from({ length: rowCount }, (_, i) => i % 2 === 1), Array.from({ length: rowCount }, (_, i) => `${i}.00`), Array.from({ length: rowCount }, (_, i) => `${i}`)]
const stored = Array.from({ length: rowCount }, (_, i) => [i, `p${i}`, i % 2, 100 * i, `${i}`])
const expected = stored.map((_, i) => Object.fromEntries(columns.map(({ name }, column) => [name, shown[column]![i]!])))

/** With the order of their names, which equality does not look at. */
const entries = (rows: readonly object[]): unknown => rows.map((row) => [Object.entries(row), Object.getPrototypeOf(row) === Object.prototype])

test('the first rows, which a loop makes, are as those that a written function makes', () => {
  const objects = new RowObjects(columns)
  expect(entries(stored.map((row) => objects.ofRow(row)))).toEqual(entries(expected))
})

test('rows of columns are as rows of rows, few of them and many', () => {
  const objects = new RowObjects(columns)
  const few = shown.map((values) => values.slice(0, 5))
  expect(entries(objects.ofColumns(few, 5))).toEqual(entries(expected.slice(0, 5)))
  expect(entries(objects.ofColumns(shown, rowCount))).toEqual(entries(expected))
  expect(entries(objects.ofColumns(few, 5))).toEqual(entries(expected.slice(0, 5)))
  expect(objects.ofColumns(shown.map(() => []), 0)).toEqual([])
})

test('where functions of text are refused, rows are the same', () => {
  vi.stubGlobal('Function', class { constructor() { throw new EvalError('Code generation from strings disallowed for this context') } })
  const objects = new RowObjects(columns)
  expect(entries(stored.map((row) => objects.ofRow(row)))).toEqual(entries(expected))
  expect(entries(objects.ofColumns(shown, rowCount))).toEqual(entries(expected))
})

test('a name cannot leave its literal', () => {
  const odd = ["'], x: (() => { throw new Error('run') })()", '\\', '`', '\u2028', '\ud800', 'constructor']
  const objects = new RowObjects(odd.map((name) => ({ name, type: { kind: 'text' } })))
  const rows = objects.ofColumns(odd.map((name) => Array.from({ length: 200 }, () => name)), 200)
  expect(Object.entries(rows[0]!)).toEqual(odd.map((name) => [name, name]))
})
