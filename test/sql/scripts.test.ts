/** Every golden script, with plans cached and without, over the model engine: the answers never differ. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { readScript, runScript, writeScript } from './script.ts'

const folder = join(import.meta.dirname, 'scripts')
const updating = process.env['LSMT_UPDATE_GOLDEN'] === '1'

for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql.txt'))) {
  const path = join(folder, file)
  const blocks = readScript(path)

  test(`${file} answers as written`, async () => {
    const answered = await runScript(createSql(openModelEngine()), blocks)
    if (updating) writeScript(path, answered)
    else expect(answered).toEqual(blocks)
  })

  test(`${file} answers the same without cached plans`, async () => {
    const uncached = createSql(openModelEngine(), { ...defaultSqlSettings, planCacheEntriesMax: 0 })
    expect(await runScript(uncached, blocks)).toEqual(await runScript(createSql(openModelEngine()), blocks))
  })

  test(`${file} answers the same when every statement comes a second time after the others`, async () => {
    const warmed = createSql(openModelEngine())
    const reads = blocks.filter(({ statement }) => /^(select|show)/i.test(statement))
    await runScript(warmed, blocks)
    expect(await runScript(warmed, reads)).toEqual(await runScript(warmed, reads))
  })
}
