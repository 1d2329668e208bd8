/**
 * SQL means what it means in PostgreSQL. `expressions.txt` has its answers to expressions, `differences.txt` those of
 * ours that are other ones, each under its reason (a difference that is gone fails as well); `queries.txt` has its
 * answers to queries over `tables.sql`.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { UserValue } from '../../../src/engine/user-value.ts'
import { LsmtError } from '../../../src/errors.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { openModelEngine } from '../../engine/model-engine.ts'

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
}

function linesOf(file: string): readonly (readonly string[])[] {
  return textOf(file).split('\n').filter((line) => line !== '' && !line.startsWith('# ')).map((line) => line.split('\t'))
}

/** As psql shows values. */
function shown(value: UserValue): string {
  if (value === null) return '<NULL>'
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : String(value)).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d.*)Z$/, '$1 $2')
}

/** Types that are one type here. */
const sameTypes: ReadonlyMap<string, string> = new Map([
  ['regtype', 'text'], ['unknown', 'text'], ['character varying', 'text'], ['real', 'double precision'], ['timestamp with time zone', 'timestamp without time zone'],
])

function sameType(type: string): string {
  return sameTypes.get(type) ?? type
}

async function answerOf(sql: Sql, expression: string): Promise<string> {
  try {
    const [result] = await sql.query(`SELECT CAST((${expression}) AS TEXT), pg_typeof(${expression})`)
    const [value, type] = result!.rows[0]!
    // A type's name is an answer as well where pg_typeof is what is asked.
    const text = shown(value!).replaceAll('\n', '\\n')
    return `${expression.startsWith('pg_typeof') ? sameType(text) : text}\t${sameType(shown(type!))}`
  } catch (error) {
    if (error instanceof LsmtError) return `!${error.code}`
    throw error
  }
}

test('expressions are what they are in PostgreSQL, but for the differences that are listed', async () => {
  const sql = createSql(openModelEngine())
  const differences = new Map(linesOf('differences.txt').map(([expression, ...answer]) => [expression!, answer.join('\t')]))
  const wrong: string[] = []
  for (const [expression, given, type] of linesOf('expressions.txt')) {
    const value = expression!.startsWith('pg_typeof') ? sameType(given!) : given!
    const expected = type === undefined ? value : `${value}\t${sameType(type)}`
    const answer = await answerOf(sql, expression!)
    const listed = differences.get(expression!)
    if (answer === (listed ?? expected)) {
      if (listed === expected) wrong.push(`${expression}: no difference any more`)
    } else wrong.push(`${expression}\t${answer}${listed === undefined ? `, in PostgreSQL ${expected}` : `, listed as ${listed}`}`)
  }
  expect(wrong.join('\n')).toBe('')
})

async function rowsOf(sql: Sql, query: string): Promise<string> {
  try {
    const [result] = await sql.query(query)
    return result!.rows.map((row) => row.map(shown).join('|')).join('\n')
  } catch (error) {
    if (error instanceof LsmtError) return `!${error.code}`
    throw error
  }
}

test('queries answer as in PostgreSQL', async () => {
  const sql = createSql(openModelEngine())
  await sql.query(textOf('tables.sql'))
  const [, ...blocks] = textOf('queries.txt').trimEnd().split(/\n\n(?=[^\n]*\n----)/)
  expect(blocks.length).toBeGreaterThan(100)
  const wrong: string[] = []
  for (const block of blocks) {
    const [query, expected = ''] = block.split(/\n----\n?/)
    const answer = await rowsOf(sql, query!)
    if (answer !== expected) wrong.push(`${query}\n${answer}\nin PostgreSQL\n${expected}`)
  }
  expect(wrong.join('\n\n')).toBe('')
})
