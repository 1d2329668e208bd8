/** Imports over every engine: types, errors by line, all or nothing, and what skips. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { importRows } from '../../../src/sql/import/import-rows.ts'
import type { ImportOutcome, ImportRequest } from '../../../src/sql/import/import-rows.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { testEngines } from '../test-engines.ts'

async function* bytesOf(text: string | Uint8Array, pieceLength = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceLength) yield bytes.subarray(at, at + pieceLength)
}

const done = (rowsWritten: number): ImportOutcome => ({ isWritten: true, rowsWritten, linesFailed: 0, errors: [] })

for (const [title, open] of testEngines) {
  describe(`import into ${title}`, () => {
    let engine: Engine
    let sql: Sql
    beforeEach(async () => {
      engine = await open()
      sql = createSql(engine)
      await sql.query(`CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(10) NOT NULL DEFAULT 'none', n NUMERIC(10,2), d DOUBLE PRECISION, ok BOOLEAN, at TIMESTAMP, day DATE, raw BYTEA)`)
    })
    afterEach(async () => {
      await engine.close()
    })

    function load(format: 'csv' | 'jsonl', text: string | Uint8Array, more: Partial<ImportRequest> = {}): Promise<ImportOutcome> {
      return importRows(engine, { table: 't', format, source: bytesOf(text), onError: 'stop', clock: systemClock, ...more })
    }

    async function rows(text = 'SELECT * FROM t ORDER BY id'): Promise<unknown> {
      return (await sql.query(text))[0]!.rows
    }

    test('CSV gives every type, NULL apart from the empty text, and defaults for columns left out', async () => {
      expect(await load('csv', 'n,id,d,ok,at,day,raw\n1.5,9223372036854775807,-0.25,true,2026-01-05T10:00:00.25Z,2026-01-05,\\x00ff\n,-1,,,,,\n"-12345678.905",2,NaN,f,2026-01-05 10:00:00+02,0001-01-01,""\n')).toEqual(done(3))
      expect(await rows()).toEqual([
        [-1, 'none', null, null, null, null, null, null],
        [2, 'none', '-12345678.91', Number.NaN, false, '2026-01-05T08:00:00Z', '0001-01-01', new Uint8Array()],
        [9223372036854775807n, 'none', '1.50', -0.25, true, '2026-01-05T10:00:00.25Z', '2026-01-05', Uint8Array.of(0, 255)],
      ])
    })

    test('JSON lines are objects, or an answer of this database', async () => {
      expect(await load('jsonl', '{"id":9223372036854775807,"name":"ü","n":12345678.905,"raw":"AP8="}\n\n{"id":"2","n":"0.10","ok":true,"d":"Infinity"}\n')).toEqual(done(2))
      expect(await load('jsonl', '{"columns":[{"name":"name","type":"TEXT"},{"name":"id","type":"BIGINT"}]}\n["x",3]\n[null,4]\n{"end":{"rowCount":2}}', { onError: 'skip' }))
        .toMatchObject({ rowsWritten: 1, linesFailed: 1, errors: [{ line: 3, column: 'name', code: '23502' }] })
      expect(await rows('SELECT id, name, n, d, ok, raw FROM t ORDER BY id')).toEqual([
        [2, 'none', '0.10', Infinity, true, null],
        [3, 'x', null, null, null, null],
        [9223372036854775807n, 'ü', '12345678.91', null, null, Uint8Array.of(0, 255)],
      ])
    })

    test('a wrong line refuses all, and says line, column and reason', async () => {
      expect(await load('csv', 'id,name,n\n1,a,1\n2,"b\nb",x\n3,elevenchars!\n4,d,1,2\n5,,1\n')).toMatchObject({
        isWritten: false, rowsWritten: 0, linesFailed: 4,
        errors: [
          { line: 3, column: 'n', code: '22P02', reason: '"x" is not a value of type NUMERIC(10,2)' },
          { line: 5, code: '22P02', reason: 'the line has 2 values for 3 columns' },
          { line: 6, code: '22P02', reason: 'the line has 4 values for 3 columns' },
          { line: 7, column: 'name', code: '23502' },
        ],
      })
      expect(await rows()).toEqual([])
    })

    test('with skip the right lines are written and the others told', async () => {
      await sql.query("INSERT INTO t (id, name) VALUES (2, 'there')")
      expect(await load('csv', 'id,name\n1,a\n2,b\nx,c\n3,d\n3,e\n4,"f"f\n5,g\n', { onError: 'skip' })).toMatchObject({
        isWritten: true, rowsWritten: 3, linesFailed: 4,
        errors: [{ line: 4, column: 'id' }, { line: 7, code: '22P02' }, { line: 3, code: '23505', reason: 'duplicate key (id) = (2)' }, { line: 6, code: '23505' }],
      })
      expect(await rows('SELECT id, name FROM t ORDER BY id')).toEqual([[1, 'a'], [2, 'there'], [3, 'd'], [5, 'g']])
    })

    test('keys that exist refuse, or are replaced', async () => {
      await sql.query("INSERT INTO t (id, name) VALUES (2, 'there')")
      expect(await load('csv', 'id,name\n1,a\n2,b\n')).toMatchObject({ isWritten: false, errors: [{ line: 3, code: '23505', reason: 'duplicate key (id) = (2)' }] })
      expect(await load('csv', 'id,name\n1,a\n2,b\n2,c\n', { onConflict: 'replace' })).toEqual(done(3))
      expect(await rows('SELECT id, name FROM t ORDER BY id')).toEqual([[1, 'a'], [2, 'c']])
    })

    test('headers, delimiters and bytes that cannot be are refused', async () => {
      await expect(load('csv', 'id,nope\n1,2\n')).rejects.toMatchObject({ code: '42703' })
      await expect(load('csv', 'id,id\n1,2\n')).rejects.toMatchObject({ code: '42701' })
      await expect(load('csv', 'name\na\n')).rejects.toMatchObject({ code: '23502' })
      await expect(load('csv', Buffer.from([0x69, 0x64, 0x0a, 0xff, 0x0a]))).rejects.toMatchObject({ code: '22021' })
      await expect(load('csv', 'id\n1\n', { csv: { delimiter: 'ab' } })).rejects.toMatchObject({ code: '22023' })
      await expect(load('csv', 'id\n1\n', { table: 'nope' })).rejects.toMatchObject({ code: '42P01' })
      expect(await load('csv', '1;a;;;;;;\n', { csv: { delimiter: ';', header: false } })).toEqual(done(1))
    })

    test('a source that breaks off leaves nothing', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* bytesOf('id,name\n1,a\n', 100)
        throw new Error('the cable')
      }
      await expect(load('csv', '', { source: broken() })).rejects.toThrow('the cable')
      expect(await rows()).toEqual([])
    })

    test('more than a statement is staged: all of it at once, or none', async () => {
      await sql.query("INSERT INTO t (id, name) VALUES (-1, 'before')")
      const filler = 'x'.repeat(10)
      async function* many(last: string): AsyncGenerator<Uint8Array> {
        yield Buffer.from('id,name,raw\n')
        const blank = `"${'y'.repeat(200_000)}"`
        for (let i = 0; i < 110; i++) yield Buffer.from(`${i},${filler},${blank}\n`)
        yield Buffer.from(last)
      }
      expect(await load('csv', '', { source: many('5,again,\n') })).toMatchObject({ isWritten: false, linesFailed: 1, errors: [{ line: 112, code: '23505' }] })
      expect(await rows('SELECT COUNT(*) FROM t')).toEqual([[1]])
      await expect(load('csv', '', { source: many('-1,again,\n') })).rejects.toMatchObject({ code: '23505' })
      expect(await rows('SELECT COUNT(*) FROM t')).toEqual([[1]])
      expect(await load('csv', '', { source: many('-1,again,\n'), onConflict: 'replace' })).toEqual(done(111))
      expect(await rows("SELECT COUNT(*), MIN(id), MAX(id), MIN(name), MAX(octet_length(raw)) FROM t")).toEqual([[111, -1, 109, 'again', 200_000]])
    })
  })
}
