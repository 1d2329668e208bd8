/** The formats of answers: what each of them says of values, of several statements, and of what it is. */
import { tableFromIPC } from 'apache-arrow'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testEngines } from '../sql/test-engines.ts'
import { startTestServer } from './http-client.ts'
import type { TestServer } from './http-client.ts'

let server: TestServer

beforeAll(async () => {
  const [, openEngine] = testEngines[2]!
  server = await startTestServer({ engine: await openEngine() })
  await server.post(`
    CREATE TABLE every (id INT PRIMARY KEY, s SMALLINT, b BIGINT, n NUMERIC(10,2), d DOUBLE PRECISION, t TEXT, o BOOLEAN, ts TIMESTAMP, da DATE, y BYTEA);
    INSERT INTO every VALUES
      (1, -3, 9007199254740991, 1.5, 0.1, 'a"b,c', TRUE, '2024-01-02 03:04:05.60', '2024-01-02', '\\x00ff'),
      (2, 3, 9007199254740992, -0.05, 'NaN', '', FALSE, '1969-12-31T23:59:59.999999Z', '0001-01-01', ''),
      (3, NULL, -9223372036854775808, 0, '-Infinity', NULL, NULL, NULL, NULL, NULL),
      (4, NULL, -4294967297, NULL, NULL, 'é😀', NULL, '9999-12-31T23:59:59.999999Z', NULL, NULL)`)
})
afterAll(async () => {
  await server.server.close(100)
  await server.engine.close()
})

async function answer(sql: string, format: string): Promise<{ readonly status: number; readonly contentType: string | null; readonly bytes: Buffer; readonly text: string }> {
  const response = await fetch(`${server.url}/query?format=${format}`, { method: 'POST', body: sql })
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, contentType: response.headers.get('content-type'), bytes, text: bytes.toString() }
}

async function lines(sql: string): Promise<readonly unknown[]> {
  const { text } = await answer(sql, 'jsonl')
  expect(text.endsWith('\n')).toBe(true)
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)
}

const commit = { durability: 'sync', copies: 1 }
const stats = expect.objectContaining({ elapsedMs: expect.any(Number) }) as unknown

describe('how a format is asked for', () => {
  const accepted: readonly (readonly [string, string])[] = [
    ['text/csv', 'text/csv; charset=utf-8; header=present'],
    ['application/x-ndjson', 'application/x-ndjson; charset=utf-8'],
    ['application/jsonl', 'application/x-ndjson; charset=utf-8'],
    ['application/vnd.apache.arrow.stream', 'application/vnd.apache.arrow.stream'],
    ['text/html, */*;q=0.8', 'application/json; charset=utf-8'],
    ['application/json;q=0.5, text/csv', 'text/csv; charset=utf-8; header=present'],
    ['text/*', 'text/csv; charset=utf-8; header=present'],
    ['application/json', 'application/json; charset=utf-8'],
  ]
  for (const [accept, contentType] of accepted) {
    test(`Accept: ${accept}`, async () => {
      const response = await fetch(`${server.url}/query`, { method: 'POST', body: 'SELECT 1', headers: { accept } })
      expect([response.status, response.headers.get('content-type'), response.headers.get('vary')]).toEqual([200, contentType, 'accept, accept-encoding'])
      await response.arrayBuffer()
    })
  }

  test('what is not there says what is', async () => {
    const { status, text } = await answer('SELECT 1', 'parquet')
    expect(status).toBe(406)
    expect(JSON.parse(text)).toEqual({ error: { code: '0A000', message: 'there is no such format of answers', hint: expect.stringContaining('json, jsonl, csv, arrow') as string } })
  })

  test('the name in the URL counts before the header', async () => {
    const response = await fetch(`${server.url}/query?format=csv`, { method: 'POST', body: 'SELECT 1 AS one', headers: { accept: 'application/json' } })
    expect(await response.text()).toBe('one\r\n1\r\n')
  })

  test('errors are JSON in every format', async () => {
    for (const format of ['json', 'jsonl', 'csv', 'arrow']) {
      const { status, text, contentType } = await answer('SELECT * FROM nope', format)
      expect([status, contentType, (JSON.parse(text) as { error: { code: string } }).error.code]).toEqual([400, 'application/json; charset=utf-8', '42P01'])
    }
  })
})

describe('JSON lines', () => {
  test('columns, rows, end', async () => {
    expect(await lines('SELECT id, b, t FROM every ORDER BY id LIMIT 2')).toEqual([
      { columns: [{ name: 'id', type: 'INTEGER' }, { name: 'b', type: 'BIGINT' }, { name: 't', type: 'TEXT' }] },
      [1, 9007199254740991, 'a"b,c'],
      [2, '9007199254740992', ''],
      { end: { rowCount: 2, stats } },
    ])
  })

  test('a write', async () => {
    expect(await lines("INSERT INTO kv VALUES ('jsonl', '1')")).toEqual([{ columns: [] }, { end: { rowCount: 1, commit, stats } }])
    expect(await lines("UPDATE kv SET value = '2' WHERE key = 'jsonl' RETURNING value")).toEqual([{ columns: [{ name: 'value', type: 'TEXT' }] }, ['2'], { end: { rowCount: 1, commit, stats } }])
  })
})

describe('CSV', () => {
  test('values of every type, as COPY writes them', async () => {
    expect((await answer('SELECT * FROM every ORDER BY id', 'csv')).text.split('\r\n')).toEqual([
      'id,s,b,n,d,t,o,ts,da,y',
      '1,-3,9007199254740991,1.50,0.1,"a""b,c",true,2024-01-02T03:04:05.6Z,2024-01-02,\\x00ff',
      '2,3,9007199254740992,-0.05,NaN,"",false,1969-12-31T23:59:59.999999Z,0001-01-01,\\x',
      '3,,-9223372036854775808,0.00,-Infinity,,,,,',
      '4,,-4294967297,,,é😀,,9999-12-31T23:59:59.999999Z,,',
      '',
    ])
  })

  test('what another reader makes of it', async () => {
    const texts = ['', 'plain', ' blanks ', '"', 'a,b', 'line\nfeed', 'carriage\rreturn', '\r\n', '\\.', "it's", '\t', '#', '""']
    await server.post('CREATE TABLE texts (id INT PRIMARY KEY, "a ""name"", quoted" TEXT)')
    await server.postJson({ sql: `INSERT INTO texts VALUES ${texts.map((_, i) => `(${i}, $${i + 1})`).join(', ')}`, params: texts })
    const { text } = await answer('SELECT * FROM texts ORDER BY id', 'csv')
    expect(parse(text)).toEqual([['id', 'a "name", quoted'], ...texts.map((each, i) => [String(i), each])])
  })

  test('a statement without rows leaves nothing', async () => {
    expect((await answer("INSERT INTO kv VALUES ('csv', '1')", 'csv')).text).toBe('')
    expect((await answer('SELECT id FROM every WHERE id > 100', 'csv')).text).toBe('id\r\n')
  })
})

describe('Arrow', () => {
  test('is a stream and no file: it begins with a message and ends with its own mark', async () => {
    const { bytes, contentType } = await answer('SELECT id FROM every', 'arrow')
    expect(contentType).toBe('application/vnd.apache.arrow.stream')
    expect([bytes.subarray(0, 4).toString('hex'), bytes.subarray(-8).toString('hex')]).toEqual(['ffffffff', 'ffffffff00000000'])
  })

  test('types and values of every column', async () => {
    const table = tableFromIPC((await answer('SELECT * FROM every ORDER BY id', 'arrow')).bytes)
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual(['Int32', 'Int16', 'Int64', 'Decimal[10e+2]', 'Float64', 'Utf8', 'Bool', 'Timestamp<MICROSECOND, UTC>', 'Date32<DAY>', 'Binary'])
    const column = (name: string): unknown[] => [...table.getChild(name)!.toArray() as Iterable<unknown>]
    const nulls = (name: string): boolean[] => Array.from({ length: 4 }, (_, i) => table.getChild(name)!.isValid(i))
    expect(column('id')).toEqual([1, 2, 3, 4])
    expect(column('s').slice(0, 2)).toEqual([-3, 3])
    expect(nulls('s')).toEqual([true, true, false, false])
    expect(column('b')).toEqual([9007199254740991n, 9007199254740992n, -9223372036854775808n, -4294967297n])
    expect(column('d').slice(0, 3)).toEqual([0.1, NaN, -Infinity])
    expect([0, 1, 2, 3].map((i) => table.getChild('t')!.get(i) as unknown)).toEqual(['a"b,c', '', null, 'é😀'])
    expect([0, 1, 2].map((i) => table.getChild('o')!.get(i) as unknown)).toEqual([true, false, null])
    expect([0, 1].map((i) => table.getChild('y')!.get(i) as unknown)).toEqual([Uint8Array.of(0, 255), new Uint8Array()])
    expect(nulls('ts')).toEqual([true, true, false, true])
    expect(rawLongs(table.getChild('ts')!.data[0]!.values as BigInt64Array, 4)).toEqual([1704164645600000n, -1n, 0n, 253402300799999999n])
    expect([...(table.getChild('da')!.data[0]!.values as Int32Array).subarray(0, 2)]).toEqual([19724, -719162])
    expect(rawLongs(longs(table.getChild('n')!.data[0]!.values as Uint32Array), 8)).toEqual([150n, 0n, -5n, -1n, 0n, 0n, 0n, 0n])
  })

  test('many rows come in batches, whole', async () => {
    await server.post('CREATE TABLE digits (n INT PRIMARY KEY); INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)')
    const { bytes } = await answer("SELECT a.n * 10000 + b.n * 1000 + c.n * 100 + d.n * 10 + e.n AS n, 'text of the row' AS t, a.n = 1 AS o FROM digits a, digits b, digits c, digits d, digits e ORDER BY 1", 'arrow')
    const table = tableFromIPC(bytes)
    expect([table.numRows, table.batches.length > 2]).toEqual([100_000, true])
    expect(table.batches.every((batch) => batch.numRows <= 40_000)).toBe(true)
    for (const i of [0, 1023, 1024, 20_000, 99_999]) expect(table.get(i)!.toJSON()).toEqual({ n: i, t: 'text of the row', o: Math.floor(i / 10_000) === 1 })
  })

  test('numbers of any digits, and those beyond 38', async () => {
    const table = tableFromIPC((await answer('SELECT SUM(b) AS s FROM every', 'arrow')).bytes)
    expect(rawLongs(longs(table.getChild('s')!.data[0]!.values as Uint32Array), 2)).toEqual([BigInt.asIntN(64, 9007199254740991n + 9007199254740992n - 9223372036854775808n - 4294967297n), -1n])
    const beyond = await answer('SELECT 99999999999999999999::NUMERIC * 99999999999999999999::NUMERIC AS n', 'arrow')
    expect([beyond.status, (JSON.parse(beyond.text) as { error: { code: string } }).error.code]).toEqual([400, '22003'])
  })

  test('a statement without rows is a stream without columns', async () => {
    const table = tableFromIPC((await answer("INSERT INTO kv VALUES ('arrow', '1')", 'arrow')).bytes)
    expect([table.numCols, table.numRows]).toEqual([0, 0])
    const empty = tableFromIPC((await answer('SELECT id FROM every WHERE id > 100', 'arrow')).bytes)
    expect([empty.schema.names, empty.numRows]).toEqual([['id'], 0])
  })

  function longs(values: Uint32Array): BigInt64Array {
    return new BigInt64Array(values.slice().buffer)
  }

  function rawLongs(values: BigInt64Array, count: number): readonly bigint[] {
    return [...values.subarray(0, count)]
  }
})

describe('several statements where there is room for one result', () => {
  test('the one that gives rows is it, wherever it stands', async () => {
    const text = "CREATE TABLE several (id INT PRIMARY KEY); BEGIN; INSERT INTO several VALUES (1), (2); SELECT id FROM several ORDER BY id; COMMIT"
    expect(await lines(text)).toEqual([{ columns: [{ name: 'id', type: 'INTEGER' }] }, [1], [2], { end: { rowCount: 2, commit, stats } }])
    expect((await answer('INSERT INTO several VALUES (3); SELECT id FROM several WHERE id = 3; DELETE FROM several WHERE id = 3', 'csv')).text).toBe('id\r\n3\r\n')
    expect(await lines('INSERT INTO several VALUES (4); INSERT INTO several VALUES (5), (6)')).toEqual([{ columns: [] }, { end: { rowCount: 2, commit, stats } }])
  })

  test('a second one with rows is refused before anything runs', async () => {
    for (const format of ['jsonl', 'csv', 'arrow']) {
      const { status, text } = await answer("INSERT INTO kv VALUES ('refused', '1'); SELECT 1; DELETE FROM kv WHERE key = 'refused' RETURNING key", format)
      expect([status, JSON.parse(text)]).toEqual([400, { error: { code: '0A000', message: 'only one statement of a text may give rows in this format', position: 51, hint: 'the format json has the results of all' } }])
    }
    expect((await server.post("SELECT key FROM kv WHERE key = 'refused'")).json.rows).toEqual([])
  })

  test('one that cannot be planned before is refused when its turn comes, before it writes', async () => {
    const text = "CREATE TABLE later (id INT PRIMARY KEY); INSERT INTO later VALUES (1) RETURNING id; INSERT INTO later VALUES (2) RETURNING id"
    expect((await answer(text, 'csv')).status).toBe(400)
    expect((await server.post('SELECT id FROM later')).json.rows).toEqual([[1]])
  })
})
