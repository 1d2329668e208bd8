/**
 * Broken SQL of every kind: each text has an answer or a clean LsmtError that is not our fault; the answer does not
 * depend on cached plans, nor on the engine below; nothing hangs.
 */
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { answerOf } from './script.ts'
import { lastingEngines } from './test-engines.ts'

const seeds = [
  'CREATE TABLE t (id BIGINT PRIMARY KEY, n NUMERIC(10,2), d DOUBLE PRECISION, s TEXT, b BOOLEAN, ts TIMESTAMP, y BYTEA)',
  "INSERT INTO t VALUES (1, 1.5, 2e3, 'it''s', TRUE, '2024-01-02 03:04:05', '\\x00ff'), (2, -.5, NULL, $$x$$, FALSE, TIMESTAMP '2024-01-01', x'00')",
  "INSERT INTO t (id, s) VALUES (3, E'a\\tb')",
  "SELECT id, s AS \"S\", COUNT(*) FROM t AS x WHERE x.id >= 1 AND n <> 2.5 AND s IS NOT NULL ORDER BY id DESC LIMIT 10 OFFSET 1",
  'SELECT COUNT(*), SUM(n), MIN(ts), MAX(s) FROM t WHERE b = TRUE AND id BETWEEN 1 AND 9223372036854775807',
  "UPDATE t SET s = 'x', n = - 5 WHERE id IN (1, 2, 3)",
  'DELETE FROM t WHERE id = 1',
  "SELECT value FROM kv WHERE key = 'hello' -- comment\n; SHOW TABLES; DROP TABLE IF EXISTS t",
  "CREATE TABLE IF NOT EXISTS u (a INT, b VARCHAR(3) NOT NULL, CONSTRAINT c PRIMARY KEY (a, b)) WITH (insert = 'upsert')",
]
const pieces = ["'", '"', '$$', '$1', '?', ':x', '::', '--', '/*', '*/', '(', ')', ',', ';', '.', '-', '=', '<=', ' NULL ', ' AND ', ' OR ', ' SELECT ', ' FROM ', ' WHERE ', ' VALUES ', ' IN ', ' AS ',
  ' ORDER BY ', ' LIMIT ', ' GROUP BY ', ' JOIN ', ' NOT ', ' CASE ', ' DISTINCT ', '*', '1', '9223372036854775808', '1e999', '0x1', "E'\\", "x'0", '\\', '\u0000', '😀', '\ud800', 'é', '\u00a0', ' primary key ', ' with (', ' set ', ' insert ']

/** A text with some pieces of it removed, doubled, swapped or replaced. */
function mutate(random: Random): string {
  const tokens = seeds[random.below(seeds.length)]!.split(/(\s+|[(),;.=])/)
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(tokens.length)
    const piece = pieces[random.below(pieces.length)]!
    switch (random.below(6)) {
      case 0: tokens.splice(at, 1); break
      case 1: tokens.splice(at, 0, piece); break
      case 2: tokens[at] = piece; break
      case 3: tokens.splice(at, 0, tokens[random.below(tokens.length)]!); break
      case 4: tokens[at] = (tokens[at] ?? '').slice(0, random.below(4)); break
      default: tokens.length = at + 1
    }
  }
  return tokens.join('')
}

const rounds = process.env['LSMT_TEST_FULL'] === '1' ? 50_000 : 800
const timeoutMs = 900_000

test('mutated statements have an answer or a clean error, cached or not', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  const cached = createSql(openModelEngine())
  const [, openEngine] = lastingEngines[random.below(lastingEngines.length)]!
  const engine = await openEngine()
  const uncached = createSql(engine, { ...defaultSqlSettings, planCacheEntriesMax: 0 })
  for (let round = 0; round < rounds; round++) {
    const text = round % 40 === 0 ? seeds[random.below(2)]! : mutate(random)
    const answer = await answerOf(cached, text)
    expect(answer, `seed ${seed}: ${text}`).not.toMatch(/^error XX/)
    expect(await answerOf(uncached, text), `seed ${seed}: ${text}`).toBe(answer)
    if (round % 500 === 499) await Promise.all([cached, uncached].map((sql) => sql.query('DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS u')))
  }
  await engine.close()
}, timeoutMs)

test('random characters do not get further than an error', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  const sql = createSql(openModelEngine())
  for (let round = 0; round < rounds; round++) {
    const text = Array.from({ length: random.below(30) }, () => (random.below(2) === 0 ? pieces[random.below(pieces.length)]! : String.fromCharCode(random.below(0x250)))).join('')
    expect(await answerOf(sql, text), `seed ${seed}: ${JSON.stringify(text)}`).not.toMatch(/^error XX/)
  }
}, timeoutMs)

test('deep nesting and long chains are answered, not a crash', async () => {
  const sql = createSql(openModelEngine())
  const deep = `${'('.repeat(3_000)}key = 'a'${')'.repeat(3_000)}`
  expect(await answerOf(sql, `SELECT key FROM kv WHERE ${deep}`)).toMatch(/^(key TEXT|error (54000|42601|0A000))/)
  expect(await answerOf(sql, `SELECT key FROM kv WHERE ${"key >= 'a' AND ".repeat(1_000)}key < 'b'`)).toMatch(/^(key TEXT|error 54000)/)
  expect(await answerOf(sql, `INSERT INTO kv VALUES ${"('a', 'b'), ".repeat(20_000)}('c', 'd')`)).toBe('20001 written')
})
