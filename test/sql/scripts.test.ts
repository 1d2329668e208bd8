/** Every golden script over every engine, with plans cached and without: the answers never differ. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import { readScript, runScript, unordered, writeScript } from './script.ts'
import { testEngines } from './test-engines.ts'

const folder = join(import.meta.dirname, 'scripts')
const updating = process.env['LSMT_UPDATE_GOLDEN'] === '1'
const files = readdirSync(folder).filter((name) => name.endsWith('.sql.txt'))
const [reference] = testEngines

if (updating) {
  test.each(files)('%s is rewritten', async (file) => {
    const path = join(folder, file)
    writeScript(path, await runScript(createSql(await reference![1]()), readScript(path)))
  })
}

describe.skipIf(updating)('with memory for hardly any row', () => {
  test.each(files)('%s answers as written', async (file) => {
    const blocks = readScript(join(folder, file))
    const engine = await testEngines[2]![1]()
    const answered = await runScript(createSql(engine, { ...defaultSqlSettings, queryMemoryBytesMax: 256 }), blocks)
    expect(answered.map(unordered)).toEqual(blocks.map(unordered))
    await engine.close()
  })
})

describe.skipIf(updating).each(testEngines)('over %s', (_, openEngine) => {
  test.each(files)('%s answers as written', async (file) => {
    const blocks = readScript(join(folder, file))
    const engine = await openEngine()
    expect(await runScript(createSql(engine), blocks)).toEqual(blocks)
    await engine.close()
  })

  test.each(files)('%s answers as written without cached plans', async (file) => {
    const blocks = readScript(join(folder, file))
    const engine = await openEngine()
    expect(await runScript(createSql(engine, { ...defaultSqlSettings, planCacheEntriesMax: 0 }), blocks)).toEqual(blocks)
    await engine.close()
  })
})
