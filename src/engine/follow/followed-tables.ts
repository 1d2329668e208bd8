/** The tables of a database that somebody else writes: read from the catalog as of each step, before the step is visible. */
import { isDeepStrictEqual } from 'node:util'
import { readOnlyRefusal } from '../../lsm/follow/followed-tree.ts'
import type { TableLayout } from '../../lsm/layout.ts'
import type { Snapshot } from '../../lsm/tree.ts'
import type { EngineRow } from '../engine.ts'
import { scanShards } from '../read/scan.ts'
import type { Shards } from '../shards/shards.ts'
import { catalogShard, catalogTable, readCatalog } from '../tables/catalog.ts'
import { tableAccess } from '../tables/table-access.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { lookups } from '../tables/tables.ts'
import type { Tables } from '../tables/tables.ts'

export interface FollowedTables {
  readonly tables: Tables
  /** As the catalog has it; undefined for what is no table (any more). */
  layout(tableId: number): TableLayout | undefined
  /** Reads the catalog as it is in a snapshot of its shard; the tables are as that says once the outcome is called. */
  prepare(catalog: Snapshot): Promise<() => void>
}

interface FollowedState {
  byName: ReadonlyMap<string, TableAccess>
  byId: ReadonlyMap<number, TableAccess>
  version: number
  /** Up to which the catalog's shard was read. */
  sequence: number
}

export function createFollowedTables(shards: Shards): FollowedTables {
  const catalog = tableAccess(catalogTable)
  const state: FollowedState = { byName: new Map(), byId: new Map(), version: 1, sequence: -1 }
  return {
    tables: tablesOf(state),
    layout: (tableId) => (tableId === catalogTable.tableId ? catalog : state.byId.get(tableId))?.layout,
    async prepare(snapshot) {
      if (snapshot.sequence === state.sequence) return () => {}
      const byName = known(state.byName, await readRows(shards, catalog, snapshot))
      return () => {
        state.sequence = snapshot.sequence
        if (byName === state.byName) return
        state.byName = byName
        state.byId = new Map([...byName.values()].map((access) => [access.schema.tableId, access]))
        state.version++
      }
    },
  }
}

async function readRows(shards: Shards, catalog: TableAccess, snapshot: Snapshot): Promise<readonly EngineRow[]> {
  const alone: Shards = { ...shards, trees: [shards.trees[catalogShard]!] }
  const rows: EngineRow[] = []
  for await (const page of scanShards(alone, [snapshot], catalog, { table: catalogTable, ordered: false, columns: [0, 1], predicate: [] })) rows.push(...page)
  return rows
}

/** What tables that are as they were have been worked out to is used again; all of it when none has changed. */
function known(before: ReadonlyMap<string, TableAccess>, rows: readonly EngineRow[]): ReadonlyMap<string, TableAccess> {
  const { tables } = readCatalog(rows)
  const now = new Map(tables.map((schema) => {
    const access = before.get(schema.name)
    return [schema.name, access !== undefined && isDeepStrictEqual(access.schema, schema) ? access : tableAccess(schema)]
  }))
  return now.size === before.size && [...now].every(([name, access]) => before.get(name) === access) ? before : now
}

const refuse = (): Promise<never> => Promise.reject(readOnlyRefusal())

function tablesOf(state: FollowedState): Tables {
  const current = lookups(state)
  return {
    ...current,
    version: () => state.version,
    pin() {
      const { byName, byId, version } = state
      return { ...lookups({ byName, byId }), version: () => version }
    },
    create: refuse,
    drop: refuse,
    alter: refuse,
    truncate: refuse,
    stage: refuse,
    publishStaged: refuse,
    dropStaged: refuse,
    settled: () => Promise.resolve(),
  }
}
