/** The golden scripts over an engine whose storage is a real S3 server. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { openS3Engine } from '../engine/s3/open-s3-engine.ts'
import { describeS3, freshAddress } from '../storage/s3/s3-server.ts'
import { readScript, runScript } from './script.ts'

const folder = join(import.meta.dirname, 'scripts')
const files = readdirSync(folder).filter((name) => name.endsWith('.sql.txt'))

describeS3('over S3', () => {
  test.each(files)('%s answers as written', async (file) => {
    const blocks = readScript(join(folder, file))
    // A store that asks for nothing, so that plans have no line about cost, as the scripts have none.
    const engine = await openS3Engine(await freshAddress(), { shards: 3, usdPer1000Puts: 0, usdPer1000Gets: 0, kernelMemoryBytes: 256 * 1024 * 1024, tree: { memtableBytesMax: 4_096 } })
    expect(await runScript(createSql(engine), blocks)).toEqual(blocks)
    await engine.close()
  })
})
