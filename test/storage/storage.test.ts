import { createFaultyStorage } from '../../src/storage/faulty-storage.ts'
import { folderStorage } from '../../src/storage/folder-storage.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import type { MemoryDisk } from '../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { describeStorage } from './storage-conformance.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const dispose = async (): Promise<void> => {}

describeStorage('memory', async () => ({ storage: createMemoryStorage(), dispose }))
describeStorage('memory without synchronous reads', async () => ({ storage: createMemoryStorage({ syncReads: false }), dispose }))
describeStorage('memory that is as a bucket', async () => ({ storage: createMemoryStorage({ appends: false, syncReads: false }), dispose }), { appends: false })
describeStorage('faultless faulty', async () => ({ storage: createFaultyStorage({ seed: 1 }), dispose }))
describeStorage('delayed faulty', async () => ({ storage: createFaultyStorage({ seed: 2, delayTurnsMax: 3 }), dispose }))
describeStorage('a folder of memory', async () => {
  const disk: MemoryDisk = new Map()
  await createMemoryStorage({ disk }).createIfAbsent('beside/one', [Buffer.from('not seen')])
  return { storage: folderStorage(createMemoryStorage({ disk }), 'shards/3/'), dispose }
})
describeStorage('local', async () => {
  const directory = temporaryDirectory()
  const storage = await openLocalStorage(directory.path)
  return {
    storage,
    dispose: async () => {
      await storage.close()
      directory.remove()
    },
  }
})
