/** Following the objects of a log whose names may be used again by who was overtaken. */
import { describe, expect, test } from 'vitest'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { streamObjectName } from '../../../src/lsm/file-names.ts'
import { cursorAfter, logStart, readBehind } from '../../../src/lsm/follow/log-cursor.ts'
import { encodeObject, noPutId } from '../../../src/lsm/log/stream/object-format.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'

const kernel = openKernel('js', reserveLinearMemory(4 * 1024 * 1024))
const putIdOf = (letter: string): string => letter.repeat(32)

async function add(storage: Storage, id: number, putId: string, previousPutId: string): Promise<void> {
  const bytes = encodeObject(kernel, { kind: 'data', stream: 0, id, writerEpoch: 1, putId, previousPutId, lastSequences: [0] }, [])
  await storage.createIfAbsent(streamObjectName(0, id), [bytes])
}

async function threeObjects(): Promise<Storage> {
  const storage = createMemoryStorage({ appends: false, syncReads: false })
  await add(storage, 1, putIdOf('a'), noPutId)
  await add(storage, 2, putIdOf('b'), putIdOf('a'))
  await add(storage, 3, putIdOf('c'), putIdOf('b'))
  return storage
}

describe('objects behind a place in the log', () => {
  test('are read in order, each once', async () => {
    const storage = await threeObjects(), floor = { storage, kernel, stream: 0 }
    const first = await readBehind(floor, logStart)
    expect(first === 'lost' || first.map(({ header }) => header.id)).toEqual([1, 2, 3])
    const cursor = cursorAfter(first === 'lost' ? [] : first, logStart)
    expect(cursor).toEqual({ id: 3, putId: putIdOf('c') })
    expect(await readBehind(floor, cursor)).toEqual([])
  })

  test('are lost when some are gone', async () => {
    const storage = await threeObjects(), floor = { storage, kernel, stream: 0 }
    await storage.delete(streamObjectName(0, 1))
    expect(await readBehind(floor, logStart)).toBe('lost')
    for (const id of [2, 3]) await storage.delete(streamObjectName(0, id))
    expect(await readBehind(floor, { id: 3, putId: putIdOf('c') })).toBe('lost')
  })

  test('are lost when one that follows was created, under a name used and deleted before, by who was overtaken', async () => {
    const storage = await threeObjects(), floor = { storage, kernel, stream: 0 }
    await storage.delete(streamObjectName(0, 2))
    // It continues what was read; what stands behind it does not lead to it.
    await add(storage, 2, putIdOf('d'), putIdOf('a'))
    expect(await readBehind(floor, { id: 1, putId: putIdOf('a') })).toBe('lost')
  })
})
