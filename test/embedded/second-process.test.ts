/** A directory belongs to one process: another is told so at once, by code and by who has it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'

const folder = mkdtempSync(join(tmpdir(), 'lsmt-second-'))
afterAll(() => rmSync(folder, { recursive: true }))

const program = `
import { LsmtError, open } from ${JSON.stringify(join(import.meta.dirname, '../../dist/lsmt.js'))}
const startMs = performance.now()
const outcome = await open({ dataDir: ${JSON.stringify(folder)} }).then(async (db) => { await db.close(); return { opened: true } }, ({ code, message }) => ({ code, message }))
console.log(JSON.stringify({ ...outcome, ms: performance.now() - startMs }))
`

async function openElsewhere(): Promise<{ readonly opened?: true; readonly code?: string; readonly message?: string; readonly ms: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  return JSON.parse(stdout) as Awaited<ReturnType<typeof openElsewhere>>
}

test('a second process is refused at once and disturbs nothing; when the first has closed it may open', async () => {
  const db = await open({ dataDir: folder })
  await db.table('kv').put({ key: 'a', value: 'b' })
  const refused = await openElsewhere()
  expect(refused).toMatchObject({ code: '55006', message: expect.stringContaining(folder) as unknown })
  expect(refused.message).toContain(String(process.pid))
  expect(refused.ms).toBeLessThan(20_000)
  await db.table('kv').put({ key: 'c', value: 'd' })
  await db.close()
  expect(await openElsewhere()).toMatchObject({ opened: true })
})
