/** More readers than descriptors: each still reads its own file, and no descriptor is left behind. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createFilePool } from '../../../src/storage/local/file-pool.ts'
import { createLocalReader } from '../../../src/storage/local/local-object.ts'
import { zeroCounts } from '../../../src/storage/storage-counts.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'lsmt-pool-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

it('keeps no more files open than asked, whoever reads', async () => {
  const pool = createFilePool(3)
  const readers = Array.from({ length: 10 }, (_, i) => {
    const path = join(directory, String(i))
    writeFileSync(path, `file ${i}`)
    return createLocalReader(pool, path, zeroCounts())
  })
  expect(pool.openCount).toBeLessThanOrEqual(3)
  for (const order of [[0, 1, 2, 9, 8], [5, 5, 0, 3, 9]]) {
    for (const i of order) {
      const bytes = Buffer.alloc(6)
      readers[i]!.readSync!(bytes, 0)
      expect(bytes.toString()).toBe(`file ${i}`)
      expect(pool.openCount).toBeLessThanOrEqual(3)
    }
  }
  const all = await Promise.all(readers.map(async (reader) => {
    const bytes = Buffer.alloc(6)
    await reader.read(bytes, 0)
    return bytes.toString()
  }))
  expect(all).toEqual(readers.map((_, i) => `file ${i}`))
  for (const reader of readers) await reader.close()
  expect(pool.openCount).toBe(0)
})

it('closes a file that is read while its reader is closed only after the read', async () => {
  const pool = createFilePool(3)
  const path = join(directory, 'a')
  writeFileSync(path, 'x'.repeat(1 << 20))
  const before = process.platform === 'linux' ? openDescriptors() : 0
  const reader = createLocalReader(pool, path, zeroCounts())
  const bytes = Buffer.alloc(1 << 20)
  const reading = reader.read(bytes, 0)
  await reader.close()
  await reading
  expect(bytes.every((byte) => byte === 120)).toBe(true)
  expect(pool.openCount).toBe(0)
  if (process.platform === 'linux') expect(openDescriptors()).toBe(before)
  expect(() => createLocalReader(pool, join(directory, 'none'), zeroCounts()).byteLength).toThrow(expect.objectContaining({ code: '58P01' }) as Error)
})
