import { afterEach, expect, test, vi } from 'vitest'
import type { EngineRow } from '../../src/engine/engine.ts'
import type { ResultColumn } from '../../src/sql/plan.ts'
import { rowObjects } from '../../src/sql/row-objects.ts'
import type { ResultRow } from '../../src/sql/row-objects.ts'

afterEach(() => { vi.unstubAllGlobals() })

const names = ['id', 'a "quoted" one', 'line\nbreak \u2028', '\\', 'é🙂', '1', 'constructor', '${x}', '\ud800', 'id', 'flag', 'price']
const columns: readonly ResultColumn[] = names.map((name, i): ResultColumn => ({ name, type: i === 10 ? { kind: 'boolean' } : i === 11 ? { kind: 'numeric', precision: 9, scale: 2 } : { kind: 'text' } }))
const row = (n: number): EngineRow => [...names.slice(0, 10).map((name) => `${name} ${n}`), n % 2, n % 3 === 0 ? null : 100 * n]

function made(of: readonly ResultColumn[], rows: readonly EngineRow[]): readonly ResultRow[] {
  const into: ResultRow[] = []
  const maker = rowObjects(of)
  maker.addRows(rows.slice(0, rows.length >>> 1), into)
  const rest = rows.slice(rows.length >>> 1)
  maker.addColumns({ rowCount: rest.length, columns: of.map((_, i) => rest.map((each) => each[i]!)) }, into)
  return into
}

const few = Array.from({ length: 3 }, (_, n) => row(n)), many = Array.from({ length: 500 }, (_, n) => row(n))
const expected = (rows: readonly EngineRow[]): readonly unknown[] =>
  rows.map((values, n) => Object.fromEntries(names.map((name, i) => [name, i === 10 ? n % 2 === 1 : i === 11 ? (n % 3 === 0 ? null : `${n}.00`) : values[i]])))

test('few rows and many are made alike, whatever columns are called', () => {
  const fresh = [...columns]
  expect(made(fresh, few)).toEqual(expected(few))
  expect(made(fresh, many)).toEqual(expected(many))
  expect(made(fresh, few).map((each) => Object.keys(each))).toEqual(expected(few).map((each) => Object.keys(each as object)))
})

test('a column called __proto__ is a column', () => {
  const columnsOf: readonly ResultColumn[] = [{ name: '__proto__', type: { kind: 'text' } }, { name: 'a', type: { kind: 'bigint' } }]
  const [first] = made(columnsOf, Array.from({ length: 500 }, (_, n) => [`p${n}`, n]))
  expect(Object.entries(first!)).toEqual([['__proto__', 'p0'], ['a', 0]])
  expect(Object.getPrototypeOf(first)).toBe(Object.prototype)
})

test('where functions of text are refused, objects are made without them', () => {
  vi.stubGlobal('Function', class { constructor() { throw new EvalError('Code generation from strings disallowed for this context') } })
  expect(made([...columns], many)).toEqual(expected(many))
})
