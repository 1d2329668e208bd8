/** Snapshots of one shard that need not be of now: of the replica here, of whatever role, or of any other. */
import { LsmtError } from '../../../errors.ts'
import { shapeIn } from '../../../lsm/state/snapshot/tree-snapshot.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { Snapshot, Tree } from '../../../lsm/tree.ts'
import type { Replica } from '../../replica/replica.ts'
import type { ReadLevel } from '../../replication/event.ts'
import type { ShardSource } from './consistent-snapshot.ts'
import { mayBeAskedAgain, takeHere, untilAnswered } from './leader-source.ts'
import type { LeaderSourceOptions } from './leader-source.ts'
import type { ReadingTree, TakenSnapshot } from './placed-snapshot.ts'

/** How old what a session, or somebody who bears old answers, is shown may be. */
export type NearLevel = { readonly kind: 'session'; readonly afterSequence: number } | { readonly kind: 'stale'; readonly staleMsMax: number }

export interface NearSourceOptions extends Omit<LeaderSourceOptions, 'elsewhere'> {
  readonly level: NearLevel
  /** Other nodes that have it, in the order in which they are to be asked. */
  readonly others: () => readonly ((level: ReadLevel, minSequence: number) => Promise<TakenSnapshot>)[]
  readonly layouts: Pick<ReadonlyMap<number, TableLayout>, 'get'>
}

export function createNearSource(options: NearSourceOptions): ShardSource {
  const { level, replica, clock, layouts } = options
  const least = (minSequence: number): number => (level.kind === 'session' ? Math.max(minSequence, level.afterSequence) : minSequence)
  const checked = (taken: TakenSnapshot): TakenSnapshot => {
    const { snapshot } = taken
    return { ...taken, snapshot: { ...snapshot, tree: knowingTables(snapshot.tree, layouts), release: () => snapshot.release() } }
  }

  async function takeNear(here: Replica, minSequence: number): Promise<TakenSnapshot> {
    for (;;) {
      const { deadlineMs } = await here.read(level, minSequence)
      if (deadlineMs > clock.monotonicMs()) return checked(takeHere(here))
    }
  }

  async function takeOnce(minSequence: number): Promise<TakenSnapshot> {
    const here = replica()
    const ways = [...(here === undefined || here.status().isFetching ? [] : [() => takeNear(here, minSequence)]), ...options.others().map((other) => () => other(level, minSequence))]
    let failure: LsmtError = new LsmtError('57P03', `no node that keeps shard ${options.shard} is known`)
    for (const way of ways) {
      try {
        return await way()
      } catch (error) {
        if (!mayBeAskedAgain(error)) throw error
        failure = error
      }
    }
    throw failure
  }

  const isHere = (minSequence: number): boolean => {
    const here = replica()
    return here !== undefined && level.kind === 'session' && here.tree.visibleSequence >= least(minSequence) && !here.status().isFetching
  }

  return {
    isHere,
    now: (minSequence) => (isHere(minSequence) ? checked(takeHere(replica()!)) : undefined),
    take: (minSequence) => untilAnswered(options, () => takeOnce(least(minSequence)), clock),
  }
}

/** Of a table that it does not know, or not with all columns, a local tree shows nothing: here that may be because it lags. */
function knowingTables(tree: ReadingTree, layouts: NearSourceOptions['layouts']): ReadingTree {
  const check = (snapshot: Snapshot, tableId: number): void => {
    const found = shapeIn(snapshot, tableId)?.layout.columns.length ?? 0
    if (found < (layouts.get(tableId)?.columns.length ?? 1)) throw tableUnknown(tableId)
  }
  return {
    overlay: (below) => tree.overlay(below),
    get(snapshot, tableId, ...rest) {
      if (snapshot !== undefined) check(snapshot, tableId)
      return tree.get(snapshot, tableId, ...rest)
    },
    scan(snapshot, request, ...rest) {
      check(snapshot, request.tableId)
      return tree.scan(snapshot, request, ...rest)
    },
    async aggregate(snapshot, request, ...rest) {
      check(snapshot, request.tableId)
      return await tree.aggregate(snapshot, request, ...rest)
    },
    async groupedAggregate(snapshot, request, ...rest) {
      check(snapshot, request.tableId)
      await tree.groupedAggregate(snapshot, request, ...rest)
    },
    async topRows(snapshot, request, ...rest) {
      check(snapshot, request.tableId)
      await tree.topRows(snapshot, request, ...rest)
    },
  }
}

function tableUnknown(tableId: number): LsmtError {
  return new LsmtError('40001', `table ${tableId} is not what it was where it is read: it was changed meanwhile`)
}

/** Rows as they are shown here now, while that satisfies the level; otherwise it is waited for, or the leader is asked. */
export function nearNewest(options: Pick<NearSourceOptions, 'replica' | 'clock' | 'level' | 'layouts'> & { readonly onRead: (sequence: number) => void }, minSequence: number, leader: () => ReadingTree): () => ReadingTree {
  const { replica, clock, level, layouts, onRead } = options
  let servedUntilMs = -Infinity, leaderUntilMs = -Infinity
  const isServed = (here: Replica): boolean => here.tree.visibleSequence >= minSequence && (level.kind === 'session' || servedUntilMs > clock.monotonicMs())

  async function serve(here: Replica): Promise<void> {
    try {
      const { deadlineMs } = await here.read(level, minSequence)
      servedUntilMs = deadlineMs
    } catch (error) {
      if (!mayBeAskedAgain(error)) throw error
      leaderUntilMs = clock.monotonicMs() + leaderForMs
    }
  }

  return () => {
    const here = replica()
    if (here === undefined || here.status().isFetching || leaderUntilMs > clock.monotonicMs()) return leader()
    const { tree } = here
    const get: ReadingTree['get'] = (snapshot, tableId, ...rest) => {
      if (!isServed(here)) return { fetch: () => serve(here), fetchSync: undefined, files: [], rowGroup: undefined }
      onRead(tree.visibleSequence)
      return known(tree, layouts, tableId).get(snapshot, tableId, ...rest)
    }
    return { ...knowingTables(tree, layouts), get }
  }
}

/** For so long the leader is asked when the replica here cannot satisfy a level. */
const leaderForMs = 500

function known(tree: Tree, layouts: NearSourceOptions['layouts'], tableId: number): Tree {
  if ((tree.layouts.get(tableId)?.columns.length ?? 0) < (layouts.get(tableId)?.columns.length ?? 1)) throw tableUnknown(tableId)
  return tree
}
