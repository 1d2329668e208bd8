/** What is known by its skeleton has the shape and the slots that scanning gives. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { ScannedStatement } from '../../src/sql/scan/scan-state.ts'
import { scanStatements } from '../../src/sql/scan/shape.ts'
import { createSkeletons } from '../../src/sql/scan/skeleton.ts'

function scanned(text: string): ScannedStatement | undefined {
  try {
    const statements = scanStatements(text)
    return statements.length === 1 ? statements[0] : undefined
  } catch (error) {
    if (error instanceof LsmtError) return undefined
    throw error
  }
}

/** Learns one text and reads another. */
function readAfter(learnt: string, text: string): ScannedStatement | undefined {
  const skeletons = createSkeletons(8)
  const statement = scanned(learnt)
  if (statement !== undefined) skeletons.learn(learnt, statement)
  return skeletons.read(text)
}

/** All that a statement says. */
function said(statement: ScannedStatement | undefined): unknown {
  return statement && { shape: statement.shape, tokenStarts: statement.tokenStarts, slots: statement.slots, tuples: [statement.tupleCount, statement.tupleText, statement.tupleSlots] }
}

test.each([
  ["SELECT value FROM kv WHERE key = 'a'", "SELECT value FROM kv WHERE key = 'it''s é🎉'"],
  ["INSERT INTO kv VALUES ('a', 'b')", "INSERT INTO kv VALUES ('', ''';--')"],
  ['UPDATE t1 SET a = -1 WHERE b2 <= 5;', 'UPDATE t1 SET a = -2.5e3 WHERE b2 <= 9223372036854775807;'],
  ['SELECT a FROM t WHERE b = - 7 LIMIT 3', 'SELECT a FROM t WHERE b = - 0 LIMIT 44'],
  ["DELETE FROM t WHERE d = DATE '2024-01-01' AND e > a - 5", "DELETE FROM t WHERE d = DATE 'x' AND e > a - 50"],
])('%s knows %s', (learnt, text) => {
  expect(said(readAfter(learnt, text))).toEqual(said(scanned(text)))
  expect(readAfter(learnt, text)).toBeDefined()
})

test.each([
  ["SELECT 'a'", "SELECT 'a' "], ["SELECT 'a'", 'SELECT 1'], ["SELECT 'a'", "SELECT'a'"], ["SELECT 'a', 1", "SELECT 'a', 1, 1"], ["SELECT a FROM t WHERE b = 'a'", "SELECT a FROM t WHERE c = 'a'"],
  ['SELECT a FROM t ORDER BY 1', 'SELECT a FROM t ORDER BY 2'], ["SELECT 'a'; SELECT 'b'", "SELECT 'a'; SELECT 'b'"], ["SELECT E'a'", "SELECT E'b'"], ["SELECT x'00'", "SELECT x'01'"], ['SELECT $1, 5', 'SELECT $1, 6'],
  ["SELECT 'a' -- 1", "SELECT 'b' -- 1"], ["SELECT /* 1 */ 'a'", "SELECT /* 1 */ 'b'"], ['SELECT "a1", 5', 'SELECT "a1", 6'], ['CREATE TABLE t (a VARCHAR(5))', 'CREATE TABLE t (a VARCHAR(6))'], ["SELECT 'a'", "SELECT 'a"],
  ["INSERT INTO t VALUES ('a', NULL)", "INSERT INTO t VALUES ('b', NULL)"], ["INSERT INTO t VALUES ('a'), ('b')", "INSERT INTO t VALUES ('a'), ('c')"], ['SELECT .5', 'SELECT .6'], ['SELECT 1', 'SELECT 1x'],
])('%s does not know %s', (learnt, text) => {
  expect(readAfter(learnt, text)).toBeUndefined()
})

const pieces = ['select', 'a', 'b1', 'from', 'where', '=', '-', ',', '(', ')', 'order by', 'limit', 'values', 'insert', 'date', '.', ';', '/', '*', '::', 'and', "e'x'", '"q1"', '--', '/*', '$1', '?', 'é', 'numeric(', 'null']
const literals = ['1', '0', '22', '1.5', '5.', '1e3', '9007199254740993', "'a'", "''", "'it''s'", "'é'", "'--'", "'/*'", "';'", "'"]

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!

test('random texts are read as they are scanned', () => {
  let known = 0
  for (let seed = 0; seed < 20_000; seed++) {
    const random = seededRandom(seed)
    const parts = Array.from({ length: 1 + random.below(8) }, () => (random.below(2) === 0 ? undefined : pick(random, pieces.slice(0, random.below(6) === 0 ? pieces.length : 17))))
    const blanks = parts.map(() => pick(random, ['', ' ', ' ', '  ']))
    const write = (): string => parts.map((part, i) => (part ?? pick(random, literals)) + blanks[i]!).join('')
    const [learnt, text] = [write(), write()]
    const read = readAfter(learnt, text)
    if (read === undefined) continue
    known++
    expect(said(read), `${learnt} | ${text}`).toEqual(said(scanned(text)))
  }
  expect(known).toBeGreaterThan(1000)
})
