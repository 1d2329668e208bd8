import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { EngineRow, SpilledRun, SpillUse } from '../../../src/engine/engine.ts'
import { createSpillFile } from '../../../src/engine/spill/spill-file.ts'
import { LsmtError } from '../../../src/errors.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { TemporaryFile } from '../../../src/storage/storage.ts'

const newUse = (given: Partial<SpillUse> = {}): SpillUse => ({ bytesMax: 1 << 20, blockBytes: 256, bytesHeld: 0, ...given })

const rows: readonly EngineRow[] = [
  [null, 0, 'a'], [-0, 127, ''], [-128, 128, 'ä'], [32_767, -32_768, '日本語'.repeat(50)], [-32_769, 2 ** 31 - 1, 'x'.repeat(85)], [-(2 ** 31), 2 ** 31, 'x'.repeat(86)],
  [Number.NaN, Number.POSITIVE_INFINITY, '\ud83d'], [2 ** 53 - 1, -(2 ** 53 - 1), '😀'], [0.1, 5e-324, 'x'.repeat(5_000)],
  [2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n], [-(10n ** 40n), new Uint8Array(0), new Uint8Array([0, 255, 7])], [Number.NEGATIVE_INFINITY, -1, '\0'],
]

async function rowsOf(run: SpilledRun): Promise<EngineRow[]> {
  const found: EngineRow[] = []
  for await (const block of run.read()) found.push(...block)
  return found
}

describe.each(['wasm', 'js'] as const)('rows in a file, with %s kernels', (kind) => {
  const kernel = openKernel(kind, reserveLinearMemory(1 << 20))

  test('come back as they were, run by run, as often as asked', async () => {
    const [use, stats] = [newUse(), { spilledBytes: 0 }]
    const file = createSpillFile(createMemoryStorage().createTemporary, kernel, use, stats)
    const [one, other] = [file.newRun(), file.newRun()]
    await one.append(rows.slice(0, 5))
    await other.append(rows.toReversed())
    await one.append([])
    await one.append(rows.slice(5))
    expect([await rowsOf(one), await rowsOf(other), await rowsOf(one)]).toEqual([rows, rows.toReversed(), rows])
    expect(Object.is((await rowsOf(one))[1]![0], -0)).toBe(true)
    expect([one.rowCount, use.bytesHeld]).toEqual([rows.length, stats.spilledBytes])
    await file.discard()
    expect([use.bytesHeld, kernel.heap.usedBytes]).toEqual([0, 0])
    await expect(rowsOf(one)).rejects.toMatchObject({ code: '55000' })
  })

  test('are refused when a block is damaged', async () => {
    for (let at = 0; at < 60; at += 7) {
      const file = createSpillFile(() => damagedFile(at), kernel, newUse())
      const run = file.newRun()
      await run.append([[1, 'one'], [2, 'a second row of some length']])
      await expect(rowsOf(run)).rejects.toMatchObject({ code: 'XX001', message: expect.stringContaining('spilled rows') })
      await file.discard()
    }
    expect(kernel.heap.usedBytes).toBe(0)
  })
})

/** A file that reads one bit other than it was written. */
async function damagedFile(at: number): Promise<TemporaryFile> {
  const file = await createMemoryStorage().createTemporary()
  return {
    ...file,
    async read(into, byteOffset) {
      await file.read(into, byteOffset)
      into[at]! ^= 4
    },
  }
}

describe('what goes wrong', () => {
  const kernel = openKernel('js', reserveLinearMemory(1 << 20))

  test('files larger than allowed are 53200, and what is discarded counts no more', async () => {
    const use = newUse({ bytesMax: 1_000 })
    const open = () => createSpillFile(createMemoryStorage().createTemporary, kernel, use)
    const [first, second] = [open(), open()]
    await first.newRun().append([['x'.repeat(600)]])
    await expect(second.newRun().append([['x'.repeat(600)]])).rejects.toMatchObject({ code: '53200', evidence: { hint: expect.stringContaining('querySpillBytesMax') } })
    await first.discard()
    await second.newRun().append([['x'.repeat(600)]])
    await second.discard()
    expect([use.bytesHeld, kernel.heap.usedBytes]).toEqual([0, 0])
  })

  test('a cancelled query neither writes nor reads', async () => {
    const stop = new AbortController()
    const file = createSpillFile(createMemoryStorage().createTemporary, kernel, newUse({ signal: stop.signal }))
    const run = file.newRun()
    await run.append(rows)
    stop.abort()
    await expect(run.append(rows)).rejects.toMatchObject({ code: '57014' })
    await expect(rowsOf(run)).rejects.toMatchObject({ code: '57014' })
    await file.discard()
  })

  test.each([['createTemporary', '53100'], ['append', '53100'], ['read', '58030']] as const)('a failing %s is %s, and leaves nothing', async (kind, code) => {
    const storage = createFaultyStorage({ seed: 1, fail: (operation) => (operation.kind === kind ? new LsmtError(code, 'no') : undefined) })
    const use = newUse()
    const file = createSpillFile(storage.createTemporary, kernel, use)
    const run = file.newRun()
    await expect(run.append(rows).then(() => rowsOf(run))).rejects.toMatchObject({ code, message: code === '53100' ? expect.stringContaining('cannot hold in memory') : 'no' })
    await file.discard()
    expect([use.bytesHeld, kernel.heap.usedBytes]).toEqual([0, 0])
  })
})

test('a local file stands in tmp/ until it is discarded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lsmt-spill-'))
  const storage = await openLocalStorage(folder)
  const kernel = openKernel('wasm', reserveLinearMemory(1 << 20))
  const file = createSpillFile(storage.createTemporary, kernel, newUse())
  const run = file.newRun()
  expect(await readdir(join(folder, 'tmp'))).toEqual([])
  await run.append(rows)
  expect(await readdir(join(folder, 'tmp'))).toHaveLength(1)
  expect(await rowsOf(run)).toEqual(rows)
  await file.discard()
  expect(await readdir(join(folder, 'tmp'))).toEqual([])
  await storage.close()
  await rm(folder, { recursive: true })
})
