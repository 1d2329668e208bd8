/**
 * Damage is found: every single byte of a file, flipped in turn, makes opening, reading or verifying raise a typed error
 * that names the file; no read ever gives a wrong row. Footers that lie under a right checksum do no harm either.
 */
import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { formatVersion, headerBytes } from '../../../src/lsm/table/format.ts'
import { verifyTable } from '../../../src/lsm/table/verify-table.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { fileBytes, forgeFooter } from './forged-files.ts'
import { createFixture, findRow, openFixture, shard, writeTable } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import { describeRows, layouts, makeRows, readAll } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

/** The codes with which damage may be reported; anything else is a bug. */
function expectDamage(error: unknown, what: string): void {
  if (!(error instanceof LsmtError) || (error.code !== 'XX001' && error.code !== 'XX002')) throw new Error(`${what}: not a report of damage`, { cause: error })
  expect(error.evidence.file, what).toMatch(/^sst\/3\//)
}

/** Reads all rows and finds all keys; 'damaged' when any of it is refused. A wrong row fails the test. */
async function readOrRefuse(fixture: TableFixture, meta: TableMeta, rows: readonly TestRow[], what: string): Promise<'same' | 'damaged'> {
  const reader = await openFixture(fixture, meta).catch((error: unknown) => expectDamage(error, what))
  if (reader === undefined) return 'damaged'
  let outcome: 'same' | 'damaged' = 'same'
  const attempt = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      expectDamage(error, what)
      outcome = 'damaged'
    }
  }
  await attempt(async () => expect(describeRows(await readAll(fixture.kernel, reader)), what).toEqual(describeRows(rows)))
  for (const { key, tombstone } of rows) await attempt(async () => expect(await findRow(fixture, reader, key), what).toMatchObject({ tombstone }))
  await reader.close()
  return outcome
}

describe.each(kinds)('damaged table files over %s kernels', (kind) => {
  it.each([['i64', 12], ['bytes', 12], ['composite', 9]] as const)('reports every flipped byte of a file with a key of %s', async (form, rowCount) => {
    const fixture = createFixture(kind)
    const rows = makeRows(layouts[form], rowCount, 11, 0.25)
    const meta = await writeTable(fixture, layouts[form], rows, { rowGroupBytes: 400 })
    expect(meta.rowGroupCount).toBeGreaterThan(1)
    const bytes = fileBytes(fixture, meta)
    const random = seededRandom(12)
    expect(await readOrRefuse(fixture, meta, rows, 'undamaged')).toBe('same')
    for (let offset = 0; offset < meta.byteLength; offset++) {
      const flip = offset % 2 === 0 ? 1 << random.below(8) : 0xff
      bytes[offset]! ^= flip
      const what = `byte ${offset} of ${meta.byteLength} flipped by ${flip}`
      const outcome = await readOrRefuse(fixture, meta, rows, what)
      // The header repeats what the manifest has; only verification reads it.
      if (offset >= headerBytes) expect(outcome, what).toBe('damaged')
      const findings = await verifyTable(fixture.storage, fixture.kernel, meta, shard)
      expect(findings.length, what).toBeGreaterThan(0)
      for (const { file, code } of findings) expect([file, code === 'XX001' || code === 'XX002'], what).toEqual([expect.stringMatching(/^sst\/3\//), true])
      bytes[offset]! ^= flip
    }
    expect(await readOrRefuse(fixture, meta, rows, 'repaired')).toBe('same')
    fixture.cache.clear()
    expect(fixture.kernel.heap.usedBytes, 'nothing leaks where reads fail').toBe(0)
  })

  it('refuses files that are shorter or longer than the manifest says', async () => {
    const fixture = createFixture(kind)
    const meta = await writeTable(fixture, layouts.bytes, makeRows(layouts.bytes, 30, 13))
    const file = [...fixture.disk.values()][0]!
    for (const byteLength of [0, 1, 63, 64, meta.byteLength - meta.tailBytes, meta.byteLength - 8, meta.byteLength - 1]) {
      file.byteLength = byteLength
      await expect(openFixture(fixture, meta), `length ${byteLength}`).rejects.toMatchObject({ code: 'XX001', evidence: { block: 'file length', expected: String(meta.byteLength), actual: String(byteLength) } })
      expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toMatchObject([{ code: 'XX001', block: 'file length' }])
    }
    file.byteLength = meta.byteLength
    for (const tailBytes of [0, 8, meta.tailBytes - 8, meta.tailBytes + 8, meta.byteLength, meta.byteLength + 8]) {
      await expect(openFixture(fixture, { ...meta, tailBytes }), `tail ${tailBytes}`).rejects.toMatchObject({ code: 'XX001' })
    }
    fixture.disk.clear()
    await expect(openFixture(fixture, meta)).rejects.toMatchObject({ code: '58P01' })
    expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toMatchObject([{ code: '58P01' }])
  })

  it('refuses another file under its name, field by field', async () => {
    const fixture = createFixture(kind)
    const rows = makeRows(layouts.i64, 50, 14)
    const meta = await writeTable(fixture, layouts.i64, rows)
    const changes: Partial<TableMeta>[] = [
      { tableId: 70 }, { rowCount: 49 }, { tombstoneCount: 1000 }, { rowGroupCount: meta.rowGroupCount + 1 }, { minKey: rows[1]!.key }, { maxKey: rows[1]!.key },
      { minSequence: 9 }, { maxSequence: 9 }, { rangeTombstoneCount: 1 },
    ]
    for (const change of changes) await expect(openFixture(fixture, { ...meta, ...change }), JSON.stringify(change)).rejects.toMatchObject({ code: 'XX001' })
  })

  it('does no harm with footers that lie under a right checksum', async () => {
    const seed = 15
    const random = seededRandom(seed)
    for (const layout of [layouts.i64, layouts.composite]) {
      const fixture = createFixture(kind)
      const rows = makeRows(layout, 12, seed, 0.25)
      const meta = await writeTable(fixture, layout, rows, { rowGroupBytes: 400 })
      const good = fileBytes(fixture, meta).slice()
      for (let i = 0; i < (fullTests ? 20_000 : 600); i++) {
        fileBytes(fixture, meta).set(good)
        forgeFooter(fixture, meta, (footer) => {
          const at = random.below(footer.length)
          footer[at] = random.below(3) === 0 ? 0xff : random.below(256)
        })
        const what = `seed ${seed}, forgery ${i}`
        // A lie may change answers, since nothing else contradicts it; it must not crash, hang or read out of bounds.
        const reader = await openFixture(fixture, meta).catch((error: unknown) => expectDamage(error, what))
        await reader?.pin(0, 1, ['key']).then((pinned) => pinned.unpin(), (error: unknown) => expectDamage(error, what))
        await reader?.close()
        await verifyTable(fixture.storage, fixture.kernel, meta, shard)
      }
    }
  })

  it('names version and checksum of files from the future', async () => {
    const fixture = createFixture(kind)
    const meta = await writeTable(fixture, layouts.i64, makeRows(layouts.i64, 30, 16))
    forgeFooter(fixture, meta, () => undefined, (trailer) => (trailer[32] = formatVersion + 1))
    await expect(openFixture(fixture, meta)).rejects.toMatchObject({ code: 'XX002', message: expect.stringContaining(`version ${formatVersion + 1}`) })
    expect(await verifyTable(fixture.storage, fixture.kernel, meta, shard)).toMatchObject([{ code: 'XX002' }])
  })
})
