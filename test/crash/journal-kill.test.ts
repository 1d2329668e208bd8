/** A server with many writers is killed with SIGKILL again and again: what it acknowledged is there after each start, most of it from the journal. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startServer } from '../server-process.ts'
import type { ServerProcess } from '../server-process.ts'
import { until } from '../until.ts'

const kills = process.env['LSMT_TEST_FULL'] === '1' ? 40 : 3
const writers = 32

/** Rows one after the other, until the server is gone; notes the ids that it acknowledged. */
async function write(server: ServerProcess, nextId: () => number, acknowledged: number[]): Promise<void> {
  for (;;) {
    const id = nextId()
    try {
      await server.query(`INSERT INTO t VALUES (${id}, 'row ${id}')`)
    } catch {
      return
    }
    acknowledged.push(id)
  }
}

it('keeps every acknowledged row of many writers', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'lsmt-journal-'))
  const acknowledged = new Set<number>()
  let last = 0, journals = 0
  try {
    for (let kill = 0; kill <= kills; kill++) {
      const server = await startServer(dataDir)
      if (kill === 0) await server.query('CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)')
      const found = new Set((await server.query('SELECT id, v FROM t')).rows.map(([id, v]) => {
        expect(v).toBe(`row ${String(id)}`)
        return Number(id)
      }))
      expect([...acknowledged].filter((id) => !found.has(id))).toEqual([])
      for (const id of found) acknowledged.add(id)
      if (kill === kills) {
        await server.stop()
        break
      }
      const written: number[] = []
      const writing = Promise.all(Array.from({ length: writers }, () => write(server, () => ++last, written)))
      const journal = join(dataDir, 'wal/journal')
      await until(() => existsSync(journal) && readdirSync(journal).length > 0 && written.length > 2 * writers)
      await new Promise((resolve) => setTimeout(resolve, 100 + 90 * kill))
      await server.kill()
      if (readdirSync(journal).length > 0) journals++
      await writing
      for (const id of written) acknowledged.add(id)
    }
    expect(journals).toBe(kills)
    expect(acknowledged.size).toBeGreaterThan(kills * writers)
    expect(existsSync(join(dataDir, 'wal/journal')) && readdirSync(join(dataDir, 'wal/journal')).length > 0).toBe(false)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}, 600_000)
