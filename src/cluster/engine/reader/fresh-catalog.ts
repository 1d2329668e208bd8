/**
 * Whether the tables, as this node knows them, are those of now. Every change of the catalog is a part of every shard, so any
 * shard tells: one that is led here by the sequence of its newest change, which costs nothing; otherwise the leader of shard
 * 0 is asked. When something has changed, the catalog is read anew, from a snapshot of shard 0 as of now: what one shard
 * shows was committed in all of them before.
 */
import type { FollowedTables } from '../../../engine/follow/followed-tables.ts'
import { LsmtError } from '../../../errors.ts'
import type { Replica } from '../../replica/replica.ts'
import type { ShardSource } from '../reads/consistent-snapshot.ts'
import type { TakenSnapshot } from '../reads/placed-snapshot.ts'

type ShownReplica = Pick<Replica, 'mayServe' | 'replicated' | 'tree'>

export interface FreshCatalogOptions {
  readonly shardCount: number
  readonly replica: (shard: number) => ShownReplica | undefined
  /** Snapshots of the catalog's shard as of now. */
  readonly catalog: ShardSource
  readonly followed: FollowedTables
  /** Other tables are shown than before. */
  readonly onChanged: () => void
}

export interface FreshCatalog {
  /** Resolves when the tables are those of the moment of the call, or later ones; undefined: they are. 57P03 while the cluster has no catalog. */
  fresh(): Promise<void> | undefined
  /** As `fresh`, where the word of any replica here will do that is new enough. */
  near(isNewEnough: (replica: ShownReplica, shard: number) => boolean): Promise<void> | undefined
  /** The same, whatever is known. */
  refresh(): Promise<void>
}

export function createFreshCatalog(options: FreshCatalogOptions): FreshCatalog {
  const { shardCount, replica, catalog, followed, onChanged } = options
  /** By shard: the newest change of tables that its replica here showed before the catalog was read last. */
  let seen: readonly (number | undefined)[] = []
  let readAt: number | undefined
  let running: Promise<void> | undefined, following: Promise<void> | undefined

  const shown = (): readonly (number | undefined)[] => Array.from({ length: shardCount }, (_, shard) => replica(shard)?.replicated.tablesSequence)

  async function read(): Promise<void> {
    const before = shown()
    const taken = catalog.now(0) ?? (await catalog.take(0))
    try {
      await readFrom(taken)
    } finally {
      taken.snapshot.release()
    }
    seen = before
  }

  async function readFrom({ snapshot, tablesSequence }: TakenSnapshot): Promise<void> {
    if (tablesSequence === 0) throw new LsmtError('57P03', 'the cluster has no catalog yet', { hint: 'it is made as soon as a node coordinates writes' })
    if (readAt === tablesSequence) return
    const show = await followed.prepare(snapshot)
    show()
    readAt = tablesSequence
    onChanged()
  }

  function start(): Promise<void> {
    running = read().finally(() => (running = undefined))
    return running
  }

  /** One that began before may have read before what is wanted; those that come meanwhile share the next. */
  function refresh(): Promise<void> {
    if (running === undefined) return start()
    following ??= running.catch(() => {}).then(() => {
      following = undefined
      return start()
    })
    return following
  }

  function near(isNewEnough: (replica: ShownReplica, shard: number) => boolean): Promise<void> | undefined {
    for (let shard = 0; readAt !== undefined && shard < shardCount; shard++) {
      const here = replica(shard)
      if (here !== undefined && isNewEnough(here, shard)) return here.replicated.tablesSequence === seen[shard] ? undefined : refresh()
    }
    return refresh()
  }

  return { refresh, near, fresh: () => near((here) => here.mayServe()) }
}
