/** What a repair does to a bucket of a real S3 server, and says of it. */
import { afterEach, expect, test, vi } from 'vitest'
import { openDatabase } from '../../../src/engine/open-database.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { storedTable } from '../../../src/lsm/table/stored-table.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../../src/settings.ts'
import { withStorage } from '../../../src/storage/open-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { describeS3 } from '../../storage/s3/s3-server.ts'
import { runHere } from '../cli-in-process.ts'
import { s3Place } from './s3-environment.ts'

afterEach(() => vi.unstubAllEnvs())

async function flip(storage: Storage, name: string): Promise<void> {
  const bytes = await storage.read(name)
  bytes[bytes.length >> 1]! ^= 1
  await storage.delete(name)
  await storage.createIfAbsent(name, [bytes])
}

describeS3('lsmt repair of a bucket', () => {
  test('takes out a table file, a manifest, and what stands behind a log object that is gone', async () => {
    const { flags, environment, bucket, prefix } = await s3Place()
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    const address = { kind: 's3' as const, bucket, prefix, endpoint: environment['LSMT_S3_ENDPOINT']! }
    const run = (command: string, ...args: readonly string[]) => runHere([command, ...flags, ...args])
    const sql = async (text: string): Promise<string> => {
      const { code, out, err } = await run('sql', '--format', 'csv', '-e', text)
      expect([code, err]).toEqual([0, ''])
      return out
    }
    const hundred = (from: number): string => Array.from({ length: 100 }, (_, i) => `(${from + i}, 'row ${from + i}')`).join(',')
    expect(await run('repair')).toMatchObject({ code: 3, err: expect.stringContaining('there is no database in') as string })

    const open = () => openDatabase({ address, settings: { ...defaultDatabaseSettings, shards: 2, workers: 0 }, isShardCountGiven: false }, { clock: systemClock, random: systemRandom })
    await (await open()).close()
    await sql(`CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ${hundred(0)}`)
    expect((await run('compact')).code).toBe(0)
    for (const from of [100, 200, 300]) await sql(`INSERT INTO t VALUES ${hundred(from)}`)
    expect(await run('repair')).toEqual({ code: 0, out: 'nothing had to be repaired\n', err: '' })

    const victims = await withStorage(address, 'write', async (storage) => {
      const names = async (folder: string): Promise<readonly string[]> => (await storage.list(folder)).map(({ name }) => name)
      // The fences of the openings carry nothing.
      const log = (await storage.list('wal/')).filter(({ byteLength }) => byteLength > 1000).at(-2)!.name
      const kernel = openKernel('js', reserveLinearMemory(16 * 1024 * 1024))
      const tables = await Promise.all((await names('sst/')).map(async (name) => ({ name, id: (await storedTable(storage, kernel, name)).meta.tableId })))
      const table = tables.toSorted((a, b) => b.id - a.id)[0]!.name
      const manifest = (await names('manifest/1/')).at(-1)!
      await storage.delete(log)
      for (const name of [table, manifest]) await flip(storage, name)
      return { log, table, manifest }
    })
    expect((await run('verify')).code).toBe(4)
    const { code, out, err } = await run('repair', '--json')
    expect([code, err]).toEqual([4, ''])
    const { losses } = JSON.parse(out) as { readonly losses: readonly { readonly kind: string; readonly file: string; readonly contents?: { readonly table: string; readonly rowCount: number } }[] }
    const lostFile = losses.find(({ kind }) => kind === 'tableFile')!
    expect(Object.fromEntries(losses.map(({ kind, file }) => [kind, file]))).toEqual({ logStream: victims.log, manifest: victims.manifest, tableFile: victims.table })
    expect(lostFile.contents).toMatchObject({ table: 't' })
    expect((await run('verify')).code).toBe(0)
    expect(await sql('SELECT COUNT(*), MAX(id) FROM t')).toBe(`count,max\r\n${200 - lostFile.contents!.rowCount},199\r\n`)
    expect(await sql("INSERT INTO t VALUES (1000, 'x')")).toBe('')

    const writer = await open()
    expect(await run('repair')).toMatchObject({ code: 3, err: expect.stringMatching(/may be in use[^]*--take-over/) as string })
    expect(await run('repair', '--take-over')).toMatchObject({ code: 0 })
    await writer.close().catch(() => undefined)
  }, 120_000)
})
