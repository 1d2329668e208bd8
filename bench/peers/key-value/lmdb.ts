/**
 * LMDB through `lmdb`. Where nobody waits for the disk it may leave out all syncs (`noSync`), although a machine that loses
 * its power can then damage the file, which none of the others risks: its own default waits for the disk in each
 * transaction that is run at once, and is ten times slower.
 */
import { isInstalled, load, versionOf } from '../installed.ts'
import type { KeyValuePeer, Visit, Write } from './store.ts'

interface Database {
  get(key: string): string | undefined
  put(key: string, value: string): Promise<boolean>
  putSync(key: string, value: string): boolean
  remove(key: string): Promise<boolean>
  transactionSync(run: () => void): void
  getRange(options: { readonly start?: string; readonly limit?: number }): Iterable<{ readonly key: string; readonly value: string }>
  close(): Promise<void>
}

const name = 'lmdb'

/** As `rangeOptions`. */
function startOptions(start: string | undefined, limit: number | undefined): { readonly start?: string; readonly limit?: number } {
  if (start === undefined) return limit === undefined ? {} : { limit }
  return limit === undefined ? { start } : { start, limit }
}

export const lmdb: KeyValuePeer = {
  name,
  describe: () => `${versionOf(name)}; transactionSync, putSync, get, getRange; { noSync: true }, or, where writes are synced, put of the turn's writes together with { overlappingSync: false }`,
  isInstalled: () => isInstalled(name),
  async open(directory, answered) {
    const { open } = load(name) as { open(options: object): Database }
    const isSynced = answered === 'synced'
    const database = open({ path: directory, encoding: 'string', ...(isSynced ? { overlappingSync: false } : { noSync: true }) })
    return await Promise.resolve({
      put: (key: string, value: string) => (isSynced ? database.put(key, value).then(() => {}) : void database.putSync(key, value)),
      putBatch: (keys: readonly string[], values: readonly string[]) => database.transactionSync(() => keys.forEach((key, i) => void database.put(key, values[i]!))),
      writeBatch: (writes: readonly Write[]) => database.transactionSync(() => writes.forEach(({ key, value }) => void (value === undefined ? database.remove(key) : database.put(key, value)))),
      getSync: (key: string) => database.get(key),
      // Its reads do not wait; this is what a program does that awaits them.
      get: async (key: string) => await Promise.resolve(database.get(key)),
      range(from: string | undefined, limit: number | undefined, visit: Visit) {
        for (const { key, value } of database.getRange(startOptions(from, limit))) visit(key, value)
      },
      settle() {},
      close: () => database.close(),
    })
  },
}
