/** Scanning: what is lifted, what shapes share, and where statements end. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { scanStatements, tupleSlots } from '../../src/sql/scan/shape.ts'
import { slotKind } from '../../src/sql/slot.ts'

const shapes = (text: string) => scanStatements(text).map(({ shape }) => shape)
const values = (text: string) => scanStatements(text).flatMap(({ slots }) => slots.values)

test('blanks, comments, case and values do not change a shape', () => {
  const one = shapes("SELECT a FROM T WHERE b = 1 AND \"C\" = 'x'")
  expect(shapes("select\ta\nfrom t /* /* */ */ where b=-22 and \"C\"=E'y\\'' -- end")).toEqual(one)
  expect(shapes('select a from t where b = $1 and "C" = $2')).toEqual(one)
  expect(one).toEqual(['select a from t where b = ? and "C" = ?'])
})

test('names, constants and order by ordinals do', () => {
  expect(shapes('SELECT "a" FROM t')).not.toEqual(shapes('SELECT a FROM t'))
  expect(shapes('SELECT a FROM t WHERE b IS NULL')).toEqual(['select a from t where b is null'])
  expect(shapes('SELECT a FROM t ORDER BY 2 DESC, 1 LIMIT 3')).toEqual(['select a from t order by 2 desc , 1 limit ?'])
  expect(shapes('SELECT a FROM t ORDER BY a + 1')).toEqual(['select a from t order by a + ?'])
})

test('literals mean what they mean in PostgreSQL', () => {
  expect(values("SELECT 'it''s', 'C:\\new', E'a\\tb\\x41\\u00e9\\\\\\'', $$a'b$$, $x$ $$ $x$, x'00Ff'")).toEqual(["it's", 'C:\\new', "a\tbA\u00e9\\'", "a'b", ' $$ ', new Uint8Array([0, 255])])
  expect(values('SELECT 9223372036854775807, 1.50, .5, 1e3, 007')).toEqual(['9223372036854775807', '1.50', '.5', '1e3', 7])
  expect(values('SELECT (-5), a - 5, a-5, b = -9223372036854775808')).toEqual([-5, 5, 5, '-9223372036854775808'])
})

test('typed literals are one value', () => {
  const [statement] = scanStatements("SELECT a FROM t WHERE b > DATE '2024-01-01' AND c < timestamp '2024-01-01'")
  expect(statement!.shape).toBe('select a from t where b > ? and c < ?')
  expect(statement!.slots.kinds).toEqual([slotKind.date, slotKind.timestamp])
})

test('plain tuples after VALUES are one tuple in the shape', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => `(${index}, ${index % 3 === 0 ? 'NULL' : `'v${index}'`}, ${index % 2 === 0}, -1.5, DATE '2024-01-01')`).join(',\n')
  const text = `INSERT INTO t VALUES ${rows}`
  const [statement] = scanStatements(text)
  expect(statement!.shape).toBe('insert into t values ( ? , ? , ? , ? , ? )')
  expect(statement!.tupleCount).toBe(1000)
  expect(statement!.slots.values).toEqual([0, null, true, '-1.5', '2024-01-01'])
  expect(statement!.tupleText).toEqual({ start: 20, end: text.length })
  expect(tupleSlots(text, statement!).values.slice(5 * 7, 5 * 8)).toEqual([7, 'v7', false, '-1.5', '2024-01-01'])
  expect(statement!.tokenStarts).toHaveLength(15)
})

test('what follows the tuples stays', () => {
  const text = "INSERT INTO t VALUES (1), (2) RETURNING a; INSERT INTO t VALUES ('(,)'), (';')"
  const [first, second] = scanStatements(text)
  expect([first!.shape, first!.tupleCount]).toEqual(['insert into t values ( ? ) returning a', 2])
  expect([second!.shape, tupleSlots(text, second!).values]).toEqual(['insert into t values ( ? )', ['(,)', ';']])
})

test('values behind the tuples count on from the first one', () => {
  for (const second of ['(3, 4)', '($1, 4)', '(3, 4.5e1)', "(E'3', 4)"]) {
    const text = `INSERT INTO t VALUES (1, 2), ${second} ON CONFLICT (a) DO UPDATE SET b = 'five'`
    const [statement] = scanStatements(text)
    expect(statement!.shape).toBe('insert into t values ( ? , ? ) on conflict ( a ) do update set b = ?')
    expect(statement!.slots.values).toEqual([1, 2, 'five'])
    expect(tupleSlots(text, statement!).values).toHaveLength(4)
  }
})

test('other tuples are scanned as they stand', () => {
  for (const text of ['INSERT INTO t VALUES (1, 2), (3)', 'INSERT INTO t VALUES (1), (1 + 1)', 'INSERT INTO t VALUES (1), (f(1))', 'INSERT INTO t VALUES (1), (']) {
    const [statement] = scanStatements(text)
    expect(statement!.tupleCount).toBe(1)
    expect(statement!.shape.startsWith('insert into t values ( ?')).toBe(true)
    expect(statement!.slots.values[0]).toBe(1)
  }
})

test('definitions are not lifted from', () => {
  expect(shapes("CREATE TABLE t (a VARCHAR(10) DEFAULT 'x') WITH (insert = 'upsert')")).toEqual(["create table t ( a varchar ( 10 ) default 'x' ) with ( insert = 'upsert' )"])
})

test('parameters count through the whole text', () => {
  expect(values('SELECT ?; SELECT ?, ?')).toEqual([0, 1, 2])
  expect(values('SELECT $2, :name, a::int')).toEqual([1, 'name'])
  expect(() => scanStatements('SELECT ?, $1')).toThrow(LsmtError)
})

test('statements end at semicolons outside of quotes and comments', () => {
  expect(shapes("SELECT ';' ; ; SELECT \";\" /* ; */ -- ;\n;SELECT $$;$$")).toEqual(['select ?', 'select ";"', 'select ?'])
})
