/** Expressions are read as PostgreSQL reads them: random ones by an oracle, and those that were once misread. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { parseStatement } from '../../../src/sql/parse.ts'
import { scanStatements } from '../../../src/sql/scan/shape.ts'
import { readAsPostgres } from './postgres-expression.ts'
import { randomExpression } from './random-expression.ts'
import { treeText, withSignsFolded } from './tree-text.ts'

function readOurs(expression: string): string | undefined {
  const text = `SELECT ${expression}`
  const [scanned] = scanStatements(text)
  try {
    const statement = parseStatement(scanned!.shape, { text, tokenStarts: scanned!.tokenStarts })
    if (statement.kind !== 'select' || statement.query.body.kind !== 'select') throw new Error('no SELECT')
    const [item] = statement.query.body.items
    if (item?.kind !== 'expression' || item.alias !== undefined) throw new Error('no expression')
    return treeText(item.expression)
  } catch (error) {
    if (error instanceof LsmtError && (error.code === '42601' || error.message.startsWith('a row of several values'))) return undefined
    throw error
  }
}

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 200_000 : 4_000

test('random expressions have the tree that PostgreSQL gives them, or none', () => {
  const seed = Number(process.env['LSMT_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
  const random = seededRandom(seed)
  let valid = 0
  for (let round = 0; round < rounds; round++) {
    const tokens = randomExpression(random, random.below(12))
    const expected = readAsPostgres(tokens)
    if (expected !== undefined) valid++
    expect(readOurs(tokens.join(' ')), `seed ${seed}, round ${round}: ${tokens.join(' ')}`).toBe(expected === undefined ? undefined : withSignsFolded(expected))
  }
  expect(valid).toBeGreaterThan(rounds / 3)
}, 900_000)

test.each([
  ['a OR b AND c', '(or a (and b c))'],
  ['NOT (a) = b', '(not (= a b))'],
  ['a = b IS NULL', '(is null (= a b))'],
  ['a LIKE b ESCAPE c', '(like a b c)'],
  ['a BETWEEN b AND c = d', '(= (between a b c) d)'],
  ['a BETWEEN b AND c AND d', '(and (between a b c) d)'],
  ['a BETWEEN b = c AND d', '(between a (= b c) d)'],
  ['a LIKE b = c', '(= (like a b) c)'],
  ['a = b LIKE c ESCAPE d OR e', '(or (= a (like b c d)) e)'],
  ['a LIKE b || c ESCAPE d', '(like a (|| b c) d)'],
  ['a IN (b) LIKE c', '(like (in a [b]) c)'],
  ['a IN (b) IN (c)', '(in (in a [b]) [c])'],
  ['a + b || c', '(|| (+ a b) c)'],
  ['a || b + c * d', '(|| a (+ b (* c d)))'],
  ['- a ^ b', '(^ (- a) b)'],
  ['a ^ b ^ c', '(^ (^ a b) c)'],
  ['- a :: integer', '(- (cast a integer))'],
  ['a - b - c', '(- (- a b) c)'],
  ['a / b % c * d', '(* (% (/ a b) c) d)'],
  ['a = NOT b AND c', '(and (= a (not b)) c)'],
  ['a IS NOT DISTINCT FROM b AND c', '(and (not distinct a b) c)'],
  ['a IS NULL = b IS UNKNOWN', '(is unknown (= (is null a) b))'],
  ['a NOT BETWEEN b AND c OR d', '(or (not between a b c) d)'],
])('%s', (expression, tree) => {
  expect(readOurs(expression)).toBe(tree)
  expect(readAsPostgres(expression.toLowerCase().replaceAll(/([()])/g, ' $1 ').trim().split(/\s+/))).toBe(tree)
})

test.each(['a < b < c', 'a = b = c', 'a LIKE b LIKE c', 'a LIKE b IN (c)', 'a BETWEEN b AND c LIKE d', 'a BETWEEN b AND c BETWEEN d AND e', 'a IS DISTINCT FROM b IS NULL', 'a LIKE b ESCAPE c ESCAPE d', 'a BETWEEN b LIKE c AND d', 'a b c', 'a NOT b', 'a NOT'])('no SQL: %s', (expression) => {
  expect(readOurs(expression)).toBeUndefined()
})
