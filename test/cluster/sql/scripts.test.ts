/** The golden scripts over a cluster: the answers are those of one node. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { defaultSqlSettings } from '../../../src/sql/sql.ts'
import { readScript, runScript, unordered } from '../../sql/script.ts'
import { describeEtcd } from '../etcd/server/etcd-server.ts'
import { dropTables, startSqlCluster } from './sql-cluster.ts'
import type { ReadsAt } from './sql-cluster.ts'

const folder = join(import.meta.dirname, '../../sql/scripts')
const files = readdirSync(folder).filter((name) => name.endsWith('.sql.txt'))
const isFull = process.env['LSMT_TEST_FULL'] === '1'

describeEtcd('golden scripts over three nodes', () => {
  it.each<ReadsAt>(isFull ? ['empty', 'leader'] : ['empty'])('answer as written, read at a node that is %s', async (readsAt) => {
    const cluster = await startSqlCluster({ tree: { memtableBytesMax: 4_096 } }, readsAt)
    for (const file of files) {
      const blocks = readScript(join(folder, file))
      expect.soft(await runScript(cluster, blocks), file).toEqual(blocks)
      await dropTables(cluster)
    }
  })

  it.runIf(isFull)('answer as written with memory for hardly any row', async () => {
    const cluster = await startSqlCluster({ tree: { memtableBytesMax: 4_096 } })
    const sql = cluster.withSettings({ ...defaultSqlSettings, queryMemoryBytesMax: 256 })
    for (const file of files) {
      const blocks = readScript(join(folder, file))
      expect.soft((await runScript(sql, blocks)).map(unordered), file).toEqual(blocks.map(unordered))
      await dropTables(cluster)
    }
  })
})
