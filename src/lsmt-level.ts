/**
 * The package's entry `lsmt/level`: a database of the Level family, in a directory of its own or in a table of a
 * database that is open.
 *
 *   const db = new LsmtLevel('./data')
 *   await db.put('hello', 'world')
 */
import type { AbstractDatabaseOptions } from 'abstract-level'
import { LsmtError } from './errors.ts'
import { LevelDatabase } from './level/level-database.ts'
import { levelTable } from './level/level-store.ts'
import type { LevelOpenOptions, LevelStore, OpenLevelStore } from './level/level-store.ts'
import { open } from './lsmt.ts'
import type { Database, KeyedTable, OpenOptions } from './lsmt.ts'

export interface LsmtLevelOptions<K, V> extends AbstractDatabaseOptions<K, V> {
  /** The table that holds the entries, `(key BYTEA PRIMARY KEY, value BYTEA NOT NULL)`. Default 'level'. */
  readonly table?: string
  /** How the database of a directory is opened: durability, memory, shards and so on. */
  readonly database?: Omit<OpenOptions, 'dataDir' | 'createIfMissing'>
}

/**
 * An abstract-level database. `place` is a data directory, opened and closed with it, or an open database, which stays
 * open. `createIfMissing` and `errorIfExists` are about the table.
 */
export class LsmtLevel<KDefault = string, VDefault = string> extends LevelDatabase<KDefault, VDefault> {
  /** The data directory; undefined over a database that was given. */
  readonly location: string | undefined

  constructor(place: string | Database, { table = 'level', database = {}, ...options }: LsmtLevelOptions<KDefault, VDefault> = {}) {
    super(storeOpener(place, table, database), options)
    this.location = typeof place === 'string' ? place : undefined
  }
}

function storeOpener(place: string | Database, table: string, database: OpenOptions): OpenLevelStore {
  if (place === '') throw new LsmtError('22023', 'a level needs a data directory or an open database')
  if (typeof place !== 'string') return (options) => storeIn(place, table, options, async () => {})
  return async (options) => {
    const db = await open({ ...database, dataDir: place, createIfMissing: options.createIfMissing })
    return storeIn(db, table, options, () => db.close()).catch(async (error: unknown) => {
      await db.close()
      throw error
    })
  }
}

async function storeIn(db: Database, name: string, options: LevelOpenOptions, close: () => Promise<void>): Promise<LevelStore> {
  return { table: await tableIn(db, name, options), snapshot: () => db.snapshot(), close }
}

async function tableIn(db: Database, name: string, { createIfMissing, errorIfExists }: LevelOpenOptions): Promise<KeyedTable> {
  const definition = levelTable(name)
  const exists = db.hasTable(name)
  if (exists && errorIfExists) throw new LsmtError('42P07', `table "${name}" exists already`)
  if (!exists && !createIfMissing) throw new LsmtError('42P01', `table "${name}" does not exist`)
  await db.createTable(definition, { ifNotExists: true })
  return db.table(name)
}
