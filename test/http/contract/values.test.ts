/** How values stand in JSON, to the character, and that the type of their column says how to read them back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer } from '../http-client.ts'
import type { TestServer } from '../http-client.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.server.close(100))

interface TypeCase {
  /** As a table is made with it, and as `columns[].type` has it. */
  readonly type: string
  /** How SQL makes the value of what JSON gave as $2. */
  readonly read?: string
  /** Literals of SQL, and their values as JSON. */
  readonly values: readonly (readonly [string, string])[]
}

const types: readonly TypeCase[] = [
  { type: 'SMALLINT', values: [['-32768', '-32768'], ['32767', '32767']] },
  { type: 'INTEGER', values: [['-2147483648', '-2147483648'], ['0', '0']] },
  {
    type: 'BIGINT',
    values: [
      ['0', '0'], ['9007199254740991', '9007199254740991'], ['-9007199254740991', '-9007199254740991'],
      ['9007199254740992', '"9007199254740992"'], ['-9007199254740992', '"-9007199254740992"'],
      ['9223372036854775807', '"9223372036854775807"'], ['-9223372036854775808', '"-9223372036854775808"'],
    ],
  },
  {
    type: 'DOUBLE PRECISION',
    values: [
      ['0.1', '0.1'], ['3', '3'], ['-0.0', '-0'], ['5e-324', '5e-324'], ['1.7976931348623157e308', '1.7976931348623157e+308'], ['0.30000000000000004', '0.30000000000000004'],
      ["'NaN'", '"NaN"'], ["'Infinity'", '"Infinity"'], ["'-Infinity'", '"-Infinity"'],
    ],
  },
  { type: 'NUMERIC(10,2)', values: [['1.5', '"1.50"'], ['-0.05', '"-0.05"'], ['0', '"0.00"'], ['99999999.99', '"99999999.99"']] },
  { type: 'NUMERIC(18,0)', values: [['999999999999999999', '"999999999999999999"'], ['-1', '"-1"']] },
  { type: 'NUMERIC(18,18)', values: [['0.123456789012345678', '"0.123456789012345678"']] },
  {
    type: 'TIMESTAMP',
    values: [
      ["'2024-01-02 03:04:05'", '"2024-01-02T03:04:05Z"'], ["'2024-01-02 03:04:05.6'", '"2024-01-02T03:04:05.6Z"'], ["'2024-01-02 03:04:05.120000'", '"2024-01-02T03:04:05.12Z"'],
      ["'2024-01-02 03:04:05.000001'", '"2024-01-02T03:04:05.000001Z"'], ["'1969-12-31T23:59:59.999999Z'", '"1969-12-31T23:59:59.999999Z"'], ["'2024-01-02T03:04:05+02:00'", '"2024-01-02T01:04:05Z"'],
    ],
  },
  { type: 'DATE', values: [["'2024-02-29'", '"2024-02-29"'], ["'0001-01-01'", '"0001-01-01"']] },
  { type: 'BYTEA', read: "decode($2, 'base64')", values: [["'\\x'", '""'], ["'\\x00'", '"AA=="'], ["'\\x00ff'", '"AP8="'], ["'\\xfbffbf'", '"+/+/"']] },
  { type: 'BOOLEAN', values: [['TRUE', 'true'], ['FALSE', 'false']] },
  { type: 'TEXT', values: [["''", '""'], ["'a\"b\\c'", '"a\\"b\\\\c"'], ["'é😀'", '"é😀"'], ["'\n\t\u0001'", '"\\n\\t\\u0001"'], ["'true'", '"true"'], ["'1'", '"1"']] },
  { type: 'VARCHAR(3)', values: [["'abc'", '"abc"']] },
]

describe.each(types)('$type', ({ type, read = `CAST($2 AS ${type})`, values }) => {
  const table = `"t ${type}"`
  const rows = [...values.map(([, json]) => json), 'null']

  beforeAll(async () => {
    const literals = [...values.map(([literal]) => literal), 'NULL'].map((literal, id) => `(${id}, ${literal})`)
    const { status, text } = await server.post(`CREATE TABLE ${table} (id INT PRIMARY KEY, v ${type}); INSERT INTO ${table} VALUES ${literals.join(', ')}`)
    expect(status, text).toBe(200)
  })

  test('stands in JSON and in JSON lines as it should', async () => {
    const sql = `SELECT v FROM ${table} ORDER BY id`
    const columns = `{"columns":[{"name":"v","type":"${type}"}]`
    expect((await server.post(sql)).text).toContain(`${columns},"rows":[${rows.map((json) => `[${json}]`).join(',')}],"rowCount":${rows.length},`)
    const lines = await (await fetch(`${server.url}/query?format=jsonl`, { method: 'POST', body: sql })).text()
    expect(lines.split('\n').slice(0, -2)).toEqual([`${columns}}`, ...rows.map((json) => `[${json}]`)])
  })

  test('nothing is lost: what JSON gave, read by its type, is the value', async () => {
    for (const [id, json] of rows.entries()) {
      const body = `{"sql":"SELECT COUNT(*) FROM \\"t ${type}\\" WHERE id = $1 AND v IS NOT DISTINCT FROM ${read}","params":[${id},${json}]}`
      const { text } = await server.post(body, { 'content-type': 'application/json' })
      expect([json, text]).toEqual([json, expect.stringContaining('"rows":[[1]]')])
    }
  })
})
