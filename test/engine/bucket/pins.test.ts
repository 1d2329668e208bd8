/** Checkpoint objects keep table files from the writer that replaces them. */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { loadManifest } from '../../../src/lsm/manifest-store.ts'
import type { ManifestState } from '../../../src/lsm/manifest.ts'
import { checkpointFolder, decodeCheckpoint, encodeCheckpoint } from '../../../src/lsm/pins/checkpoint-file.ts'
import type { StoredCheckpoint } from '../../../src/lsm/pins/checkpoint-file.ts'
import { tableFileName } from '../../../src/lsm/table/table-file-name.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openOver, smallSettings } from './two-writers.ts'

const kernel = openKernel('js', reserveLinearMemory(8 * 1024 * 1024))
const file = `${checkpointFolder}nightly`
const filesOf = async (storage: Storage): Promise<readonly string[]> => (await storage.list('sst/')).map(({ name }) => name)

const namesIn = ({ shard, tables }: ManifestState): readonly string[] => tables.flatMap(({ levels }) => levels.flat().map(({ fileNumber }) => tableFileName(shard, fileNumber)))

async function checkpointOf(storage: Storage, expiresAtMicros: number): Promise<StoredCheckpoint> {
  const manifests = await Promise.all(Array.from({ length: smallSettings.shards }, async (_, shard) => (await loadManifest(storage, kernel, shard))!))
  return { name: 'nightly', createdAtMicros: 0, expiresAtMicros, manifests }
}

async function rewriteAll(engine: Engine): Promise<void> {
  await engine.insert(engine.table('kv')!, Array.from({ length: 40 }, (_, i) => [`key ${i}`, 'value']), 'upsert')
  await engine.compact()
}

describe('a checkpoint object', () => {
  test.each([[Number.MAX_SAFE_INTEGER, true], [1, false]])('that expires at %i keeps files: %s', async (expiresAtMicros, keeps) => {
    const storage = createMemoryStorage({ appends: false, syncReads: false })
    const engine = await openOver(storage)
    await rewriteAll(engine)
    const checkpoint = await checkpointOf(storage, expiresAtMicros)
    const kept = checkpoint.manifests.flatMap(namesIn)
    await storage.createIfAbsent(file, [encodeCheckpoint(kernel, checkpoint)])
    expect(decodeCheckpoint(kernel, await storage.read(file), file)).toEqual(checkpoint)
    await rewriteAll(engine)
    await engine.close()
    for (const reopen of [false, true]) {
      if (reopen) await (await openOver(storage)).close()
      const now = await filesOf(storage)
      expect(kept.filter((name) => !now.includes(name)).length > 0).toBe(!keeps)
    }
    // What nobody pins any more goes with the next opening.
    await storage.delete(file)
    await (await openOver(storage)).close()
    const left = await filesOf(storage)
    expect(kept.filter((name) => !left.includes(name)).length).toBeGreaterThan(0)
  })

  test('that cannot be read keeps every file', async () => {
    const storage = createMemoryStorage({ appends: false, syncReads: false })
    const engine = await openOver(storage)
    await rewriteAll(engine)
    const kept = (await checkpointOf(storage, 1)).manifests.flatMap(namesIn)
    await storage.createIfAbsent(file, [Buffer.from('no checkpoint')])
    await rewriteAll(engine)
    expect(await filesOf(storage)).toEqual(expect.arrayContaining([...kept]))
    expect(engine.stats().shards.some(({ background }) => background?.includes(file) === true)).toBe(true)
    await engine.close()
  })
})
