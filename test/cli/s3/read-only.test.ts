/** Nodes that only read a database in a bucket, beside the server that writes it. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere, serveHere } from '../cli-in-process.ts'
import { query } from '../cli-process.ts'
import { s3PlaceHere } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place

beforeEach(async () => {
  place = await s3PlaceHere()
})

afterEach(() => vi.unstubAllEnvs())

const rowsOf = async (url: string, sql: string): Promise<unknown> => (JSON.parse((await query(url, sql)).text) as { readonly rows?: unknown }).rows

describeS3('read-only nodes', () => {
  test('follow the writer, tell how far they are, and refuse writes', async () => {
    const writer = await serveHere('./unused', place.flags)
    await query(writer.url, "CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    const reader = await serveHere('./unused', [...place.flags, '--read-only', '--follow-ms', '50'])
    expect(await rowsOf(reader.url, 'SELECT * FROM t ORDER BY k')).toEqual([[1, 'a'], [2, 'b']])
    await query(writer.url, "INSERT INTO t VALUES (3, 'c')")
    await expect.poll(() => rowsOf(reader.url, 'SELECT count(*) FROM t')).toEqual([[3]])
    const refused = await fetch(`${reader.url}/query`, { method: 'POST', body: "INSERT INTO t VALUES (4, 'd')" })
    expect(await refused.json()).toMatchObject({ error: { code: '25006', hint: 'send it to the node that writes' } })
    expect((await fetch(`${reader.url}/health/ready`)).status).toBe(200)
    expect(await (await fetch(`${reader.url}/status`)).json()).toMatchObject({ following: { sequences: [expect.any(Number), expect.any(Number)], waitingRecords: 0, trouble: null } })
    expect(await (await fetch(`${reader.url}/metrics`)).text()).toMatch(/lsmt_follow_looks_total [1-9]/)
    const db = await open({ storage: 's3', bucket: place.bucket, prefix: place.prefix, endpoint: place.environment['LSMT_S3_ENDPOINT']!, readOnly: true })
    expect((await db.query('SELECT max(k) AS k FROM t')).rows).toEqual([{ k: 3 }])
    await expect(db.table('kv').put({ key: 'a', value: 'b' })).rejects.toMatchObject({ code: '25006' })
    await db.close()
    expect(await runHere(['sql', ...place.flags, '--read-only', '--format', 'csv', '-e', 'SELECT min(k) AS k FROM t'])).toMatchObject({ code: 0, out: expect.stringMatching(/^k\r?\n1\r?\n$/) as string })
    // Nobody has taken it from the writer.
    await query(writer.url, "INSERT INTO t VALUES (4, 'd')")
    await reader.stop()
    await writer.stop()
  })

  test('need a database, and a bucket', async () => {
    expect(await runHere(['serve', ...place.flags, '--read-only', '--listen', '127.0.0.1:0'])).toMatchObject({ code: 3, err: expect.stringMatching(/^lsmt: there is no database in /) as string })
    expect(await runHere(['serve', '--data-dir', '/nowhere/at/all', '--read-only', '--listen', '127.0.0.1:0'])).toMatchObject({ err: expect.stringContaining('is not opened read-only') as string })
    await expect(open({ dataDir: '/nowhere/at/all', readOnly: true })).rejects.toMatchObject({ code: '0A000' })
  })
})
