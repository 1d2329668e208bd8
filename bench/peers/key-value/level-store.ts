/** A store over a database of the Level family. */
import type { AbstractLevel } from 'abstract-level'
import { rangeOptions } from './store.ts'
import type { KeyValueStore } from './store.ts'

const entriesAtOnce = 1_000

/** `writing` are the options of every write. Opens it. */
export async function levelStore<Options extends object>(level: AbstractLevel<string | Uint8Array, string, string>, writing: Options, settle: () => Promise<void>): Promise<KeyValueStore> {
  await level.open()
  return {
    put: (key, value) => level.put(key, value, writing),
    putBatch: (keys, values) => level.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i]! })), writing),
    writeBatch: (writes) => level.batch(writes.map(({ key, value }) => (value === undefined ? { type: 'del', key } : { type: 'put', key, value })), writing),
    getSync: (key) => level.getSync(key),
    get: (key) => level.get(key),
    async range(from, limit, visit) {
      const iterator = level.iterator(rangeOptions(from, limit))
      if (limit !== undefined) {
        for (const [key, value] of await iterator.all()) visit(key, value)
        return
      }
      for (let entries = await iterator.nextv(entriesAtOnce); entries.length > 0; entries = await iterator.nextv(entriesAtOnce)) {
        for (const [key, value] of entries) visit(key, value)
      }
      await iterator.close()
    },
    settle,
    close: () => level.close(),
  }
}
