/** The package as its contract prints it, values and all. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'

const folder = mkdtempSync(join(tmpdir(), 'lsmt-embedded-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('SQL, typed key/value access beside it, a scan, and all of it there the next time', async () => {
  const db = await open({ dataDir: join(folder, 'data') })
  await db.query('INSERT INTO kv VALUES ($1, $2)', ['hello', 'world'])
  const { rows } = await db.query('SELECT value FROM kv WHERE key = $1', ['hello'])
  expect(rows).toEqual([{ value: 'world' }])
  const kv = db.table('kv')
  await kv.put({ key: 'a', value: 'b' })
  expect([kv.getSync('a'), await kv.get('a')]).toEqual([{ key: 'a', value: 'b' }, { key: 'a', value: 'b' }])
  const scanned: unknown[] = []
  for await (const row of kv.scan({ gte: 'a', lt: 'b', columns: ['value'] })) scanned.push(row)
  expect(scanned).toEqual([{ value: 'b' }])
  await kv.delete('a')
  expect(kv.getSync('a')).toBeUndefined()
  await db.close()
  const again = await open({ dataDir: join(folder, 'data') })
  expect((await again.query('SELECT * FROM kv')).rows).toEqual([{ key: 'hello', value: 'world' }])
  await again.close()
})

test('without a dataDir it is ./data', async () => {
  const before = process.cwd()
  process.chdir(mkdtempSync(join(folder, 'cwd-')))
  try {
    const db = await open()
    await db.close()
    await (await open({ dataDir: './data', createIfMissing: false })).close()
  } finally {
    process.chdir(before)
  }
})
