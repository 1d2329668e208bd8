/** The engine of a node of a cluster for everything that only reads, at one level of freshness. */
import { beginReading, refusals } from '../../../engine/follow/reading-only.ts'
import { renewingReads } from '../../../engine/follow/renewing-reads.ts'
import type { Engine } from '../../../engine/engine.ts'
import { createReads } from '../../../engine/session/reads.ts'
import type { Shards } from '../../../engine/shards/shards.ts'
import type { Tables } from '../../../engine/tables/tables.ts'
import type { ColumnInserter } from '../../../engine/write/columns/insert-columns.ts'
import { LsmtError } from '../../../errors.ts'
import type { DiskRoom } from '../../../lsm/disk-room.ts'
import { isLostSnapshot, lostSnapshot } from '../reads/far-shard.ts'
import type { FreshCatalog } from './fresh-catalog.ts'

/** Of a shard that is not here any more. */
const isClosedTree = (error: unknown): error is LsmtError => error instanceof LsmtError && error.code === '55000'

export interface ReadingEngineFloor {
  readonly shards: Shards
  readonly tables: Tables
  readonly catalog: Pick<FreshCatalog, 'fresh' | 'refresh'>
  readonly texts: ColumnInserter
  readonly spillFile: Engine['spillFile']
  readonly room: DiskRoom
  readonly stats: Engine['stats']
}

/** Closing it closes nothing: it stands on what its node has open. */
export function createReadingEngine({ shards, tables, catalog, texts, spillFile, room, stats }: ReadingEngineFloor): Engine {
  return {
    tables: tables.list,
    table: tables.find,
    catalogVersion: tables.version,
    // What a statement was planned by has changed meanwhile: it is run again by what is there now.
    catalogSettled: catalog.refresh,
    freshCatalog: catalog.fresh,
    ...renewingReads(createReads(shards, tables), { refresh: () => Promise.resolve(), isLost: (error): error is LsmtError => isLostSnapshot(error) || isClosedTree(error), lost: (cause) => (isClosedTree(cause) ? lostSnapshot(cause) : cause) }),
    ...refusals,
    begin: beginReading({ shards, tables, texts, spillFile, room }),
    spillFile,
    isReadOnly: true,
    stats,
    close: () => Promise.resolve(),
  }
}

