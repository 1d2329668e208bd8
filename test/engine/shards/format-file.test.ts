import { describe, expect, test } from 'vitest'
import { decodeFormat, encodeFormat, formatFileName, openFormat } from '../../../src/engine/shards/format-file.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'

const kernel = openKernel('js', reserveLinearMemory(1024 * 1024))
const format = { databaseId: '00112233445566778899aabbccddeeff', shards: 8 }

describe('the format file', () => {
  test('is made once and kept', async () => {
    const storage = createMemoryStorage()
    const made = await openFormat(storage, kernel, seededRandom(1), 4, systemClock)
    expect(made).toMatchObject({ shards: 4, databaseId: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(await openFormat(storage, kernel, seededRandom(2), 16, systemClock)).toEqual(made)
    expect((await storage.list('')).map((object) => object.name)).toEqual([formatFileName])
  })

  test('is not made where other files of a database are', async () => {
    const storage = createMemoryStorage()
    await storage.createIfAbsent('manifest/7/00000000000000000001.manifest', [Uint8Array.of(1)])
    await expect(openFormat(storage, kernel, seededRandom(1), 4, systemClock)).rejects.toMatchObject({ code: '58P01', message: 'the file format is missing in memory, where manifest/7/00000000000000000001.manifest is of a database' })
    expect((await storage.list('')).map((object) => object.name)).toEqual(['manifest/7/00000000000000000001.manifest'])
  })

  test('takes 1 to 1024 shards', async () => {
    for (const shards of [0, 1.5, 1025, Number.NaN]) await expect(openFormat(createMemoryStorage(), kernel, seededRandom(1), shards, systemClock)).rejects.toMatchObject({ code: '22023' })
  })

  test('has these bytes', () => {
    const bytes = Buffer.from(encodeFormat(kernel, format))
    expect(bytes.toString('latin1', 0, 8)).toBe('LSMTFMT1')
    expect(bytes.subarray(8, 16).toString('hex')).toBe('010001003c000000')
    expect(bytes.toString('utf8', 24)).toBe('{"databaseId":"00112233445566778899aabbccddeeff","shards":8}')
    expect(decodeFormat(kernel, bytes)).toEqual(format)
  })

  test('with any byte changed is refused', () => {
    const bytes = encodeFormat(kernel, format)
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i]! ^= 0x10
      expect(() => decodeFormat(kernel, damaged), `byte ${i}`).toThrow(expect.objectContaining({ code: expect.stringMatching(/^XX00[12]$/) }))
    }
    for (let length = 0; length < bytes.length; length++) expect(() => decodeFormat(kernel, bytes.subarray(0, length)), `${length} bytes`).toThrow(expect.objectContaining({ code: 'XX001' }))
  })
})
