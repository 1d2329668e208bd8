/** Idempotency-Key over HTTP: the answer again in any format, refusals, and a server that is killed in between. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startServer } from '../server-process.ts'
import { startTestServer } from './http-client.ts'

const keyed = (key: string): Readonly<Record<string, string>> => ({ 'idempotency-key': key })
const withoutStats = (text: string): string => text.replace(/"stats":\{[^}]*\}/g, '')

test('the answer comes again, in the format that is asked for now', async () => {
  const server = await startTestServer()
  const text = "INSERT INTO kv VALUES ('a', 'b'), ('c', NULL) RETURNING key, value"
  const first = await server.post(text, keyed('k'))
  await server.post('DELETE FROM kv')
  const second = await server.post(text, keyed('k'))
  expect(withoutStats(second.text)).toBe(withoutStats(first.text))
  expect(first.text).toContain('"commit":{"durability":"sync"')
  const csv = await fetch(`${server.url}/query?format=csv`, { method: 'POST', body: text, headers: keyed('k') })
  expect(await csv.text()).toBe('key,value\r\na,b\r\nc,\r\n')
  expect((await server.post('SELECT count(*) FROM kv')).json.rows).toEqual([[0]])
  await server.server.close(0)
})

test('another request under the key, and what is no key, are refused', async () => {
  const server = await startTestServer()
  await server.post("INSERT INTO kv VALUES ('a', 'b')", keyed('"quoted"'))
  const other = await server.post("INSERT INTO kv VALUES ('a', 'c')", keyed('"quoted"'))
  expect({ status: other.status, code: other.json.error.code }).toEqual({ status: 400, code: '22023' })
  expect((await server.post('SELECT 1', keyed('x'.repeat(256)))).json.error.code).toBe('22023')
  await server.server.close(0)
})

test('a request that comes again to a server that was killed is applied once', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'lsmt-idempotency-'))
  try {
    let server = await startServer(dataDir, ['--shards', '2'])
    await server.query("INSERT INTO kv VALUES ('n', '')")
    const send = async (round: number): Promise<string> => {
      const response = await fetch(`${server.url}/query`, { method: 'POST', body: "UPDATE kv SET value = value || 'x'; INSERT INTO kv VALUES ('m', 'y') RETURNING *", headers: keyed(`round ${round}`) })
      return withoutStats(await response.text())
    }
    for (let round = 1; round <= 3; round++) {
      const broken = send(round).catch(() => undefined)
      if (round > 1) await broken
      await server.kill()
      const first = await broken
      server = await startServer(dataDir)
      const again = await send(round)
      if (first !== undefined) expect(again).toBe(first)
      expect(await send(round)).toBe(again)
      expect((await server.query("SELECT value FROM kv WHERE key = 'n'")).rows).toEqual([['x'.repeat(round)]])
    }
    await server.stop()
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
