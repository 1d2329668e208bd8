/** A server whose bucket cannot be reached for a while: what it has is read, what it cannot do is said, and it goes on by itself. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDatabase } from '../../../src/engine/open-database.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { startFaultProxy } from '../../storage/s3/fault-proxy.ts'
import type { FaultProxy } from '../../storage/s3/fault-proxy.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { serveHere } from '../cli-in-process.ts'
import type { ServedHere } from '../cli-in-process.ts'
import { query, withFolder } from '../cli-process.ts'
import { s3Place } from './s3-environment.ts'
import type { S3Place } from './s3-environment.ts'

let place: S3Place
let proxy: FaultProxy

beforeEach(async () => {
  place = await s3Place()
  proxy = await startFaultProxy(place.environment['LSMT_S3_ENDPOINT']!)
  for (const [name, value] of Object.entries({ ...place.environment, LSMT_S3_ENDPOINT: proxy.endpoint })) vi.stubEnv(name, value)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await proxy.close()
})

/** Gives the bucket up after a second, where others wait half a minute. */
function serve(folder: string): Promise<ServedHere> {
  const settings = { deadlineMs: 1_000 }
  return serveHere(join(folder, 'data'), place.flags, {
    openEngine: (request) => openDatabase({ ...request, settings: { ...request.settings, workers: 0 }, address: request.address.kind === 's3' ? { ...request.address, settings } : request.address }, { clock: systemClock, random: systemRandom }),
  })
}

async function codeOf(url: string, sql: string): Promise<unknown> {
  const { status, text } = await query(url, sql)
  return [status, (JSON.parse(text) as { readonly error?: { readonly code: string } }).error?.code]
}

describeS3('a bucket that goes away', () => {
  test('reads of what is there go on, writes are answered with what is known, and both work when it is back', async () => {
    await withFolder(async (folder) => {
      const server = await serve(folder)
      expect(await codeOf(server.url, "INSERT INTO kv VALUES ('a', 'before')")).toEqual([200, undefined])
      proxy.plan = () => 'reset-before'
      expect(await codeOf(server.url, "INSERT INTO kv VALUES ('b', 'under way')")).toEqual([503, '40003'])
      expect(await codeOf(server.url, "INSERT INTO kv VALUES ('c', 'after')")).toEqual([503, '57P03'])
      expect((await query(server.url, "SELECT value FROM kv WHERE key = 'a'")).text).toContain('"rows":[["before"]]')
      proxy.plan = () => undefined
      await vi.waitFor(async () => expect(await codeOf(server.url, "INSERT INTO kv VALUES ('d', 'back')")).toEqual([200, undefined]), { timeout: 60_000, interval: 50 })
      expect((await query(server.url, 'SELECT key FROM kv ORDER BY key')).text).toContain('"rows":[["a"],["b"],["d"]]')
      await server.stop()
    })
  })

  test('a server is stopped while its bucket is away', async () => {
    await withFolder(async (folder) => {
      const server = await serve(folder)
      expect(await codeOf(server.url, "INSERT INTO kv VALUES ('a', 'before')")).toEqual([200, undefined])
      proxy.plan = () => 'reset-before'
      await server.stop()
    })
  })
})
