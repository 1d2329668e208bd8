/**
 * lsmt by its two ways in for key/value, both from the built package: a table by key, which a new program would take, and
 * `lsmt/level`, which one written for the Level family would.
 */
import type * as Lsmt from '../../../src/lsmt.ts'
import type * as LsmtLevels from '../../../src/lsmt-level.ts'
import { levelStore } from './level-store.ts'
import { cacheBytes, rangeOptions } from './store.ts'
import type { Answered, KeyValuePeer, KeyValueStore } from './store.ts'

const settings = (answered: Answered) => ({ cacheBytesMax: cacheBytes, durability: answered === 'synced' ? 'sync' : 'interval' }) as const
const built = async <Module>(file: string): Promise<Module> => (await import(new URL(`../../../dist/${file}`, import.meta.url).href)) as Module

export const lsmtTable: KeyValuePeer = {
  name: 'lsmt',
  describe: () => "the table kv of this checkout: put, putColumns, batch, getSync and get of a reader of its column, cursors; durability 'interval', which syncs ten times a second, or 'sync'",
  isInstalled: () => true,
  open: (directory, answered) => openTable(directory, settings(answered)),
}

/** With other settings than its defaults. */
export function lsmtTableWith(name: string, other: Lsmt.OpenOptions): KeyValuePeer {
  return { ...lsmtTable, name, open: (directory, answered) => openTable(directory, { ...settings(answered), ...other }) }
}

async function openTable(directory: string, options: Lsmt.OpenOptions): Promise<KeyValueStore> {
  const { open } = await built<typeof Lsmt>('lsmt.js')
  const db = await open({ dataDir: directory, ...options })
  const kv = db.table('kv'), values = kv.reader('value')
  return {
    put: (key, value) => kv.put({ key, value }),
    putBatch: (keys, values) => kv.putColumns({ key: keys, value: values }),
    writeBatch: (writes) => kv.batch(writes.map(({ key, value }) => (value === undefined ? { delete: key } : { put: { key, value } }))),
    getSync: (key) => values.getSync(key) as string | undefined,
    get: (key) => values.get(key) as Promise<string | undefined>,
    async range(from, limit, visit) {
      const cursor = kv.cursor(rangeOptions(from, limit))
      const next = (): ReturnType<typeof cursor.next> => cursor.next(limit)
      for (let read = next(); read !== undefined; read = next()) {
        const rows = read instanceof Promise ? await read : read
        if (rows === undefined) return
        const [found, theirs] = rows.columns as [readonly string[], readonly string[]]
        for (let i = 0; i < rows.rowCount; i++) visit(found[i]!, theirs[i]!)
      }
    },
    storageUse: () => db.stats().storage.counts,
    writeUse() {
      const { shards, journal } = db.stats()
      const sum = (of: (shard: Lsmt.EngineStats['shards'][number]) => number): number => shards.reduce((total, shard) => total + of(shard), 0)
      return { tableBytes: sum(({ bytesFlushed, bytesIngested, bytesCompacted }) => bytesFlushed + bytesIngested + bytesCompacted), logBytes: sum(({ log }) => log.bytes) + (journal?.bytes ?? 0) }
    },
    settle: () => db.compact(),
    close: () => db.close(),
  }
}

export const lsmtLevel: KeyValuePeer = {
  name: 'lsmt/level',
  describe: () => 'the same engine by the interface of abstract-level',
  isInstalled: () => true,
  async open(directory, answered) {
    const { open } = await built<typeof Lsmt>('lsmt.js')
    const { LsmtLevel } = await built<typeof LsmtLevels>('lsmt-level.js')
    const db = await open({ dataDir: directory, ...settings(answered) })
    const store = await levelStore(new LsmtLevel(db), {}, () => db.compact())
    return { ...store, close: async () => { await store.close(); await db.close() } }
  },
}
