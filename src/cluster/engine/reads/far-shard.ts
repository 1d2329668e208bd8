/** One shard as it is read on other nodes: snapshots of it, and rows as of now from whoever leads it by the time they are asked for. */
import { LsmtError } from '../../../errors.ts'
import type { AskedElsewhere, PointFetch, RowHandle, ScanCursor } from '../../../lsm/tree.ts'
import type { FragmentClient } from '../../fragments/client/fragment-client.ts'
import type { RemoteTree } from '../../fragments/client/remote-tree.ts'
import type { RemoteTreeOptions } from '../../fragments/client/client-state.ts'
import type { ReadLevel } from '../../replication/event.ts'
import { mayBeAskedAgain } from './leader-source.ts'
import { placeSnapshot } from './placed-snapshot.ts'
import type { ReadingTree, TakenSnapshot } from './placed-snapshot.ts'

export interface FarShard {
  take(node: string, level: ReadLevel, minSequence: number): Promise<TakenSnapshot>
  /** `again` runs a question until it is answered, or too much time has gone by. */
  newest(where: () => string, again: <T>(ask: () => Promise<T>) => Promise<T>): ReadingTree
}

/** `onRead`: rows as of now were read of the shard as it was at a sequence. */
export function createFarShard(client: FragmentClient, { shard, layouts, onRead }: Required<Omit<RemoteTreeOptions, 'where'>>): FarShard {
  const byNode = new Map<string, RemoteTree>()
  const treeAt = (node: string): RemoteTree => {
    const known = byNode.get(node) ?? client.tree({ shard, where: () => node, layouts })
    byNode.set(node, known)
    return known
  }
  return {
    async take(node, level, minSequence) {
      const tree = treeAt(node)
      const snapshot = await tree.takeSnapshot({ level, minSequence })
      const { tablesSequence, parts, partsAfter } = snapshot
      return { snapshot: placeSnapshot(asReading(tree), snapshot), tablesSequence, parts, partsAfter }
    },
    newest(where, again) {
      const tree = client.tree({ shard, where, layouts, onRead })
      return { ...asReading(tree), get: (snapshot, ...rest) => persistent(tree.get(snapshot, ...rest), again) }
    },
  }
}

/** A read of a snapshot whose node, or tree, is gone cannot go on: nobody else has that snapshot. */
export function lostSnapshot(cause: LsmtError): LsmtError {
  return new LsmtError('40001', `the snapshot is lost with the node that it was taken on: ${cause.message}`, { hint: 'run it again' }, cause)
}

export const isLostSnapshot = (error: unknown): error is LsmtError => error instanceof LsmtError && error.code === '40001' && mayBeAskedAgain(error.cause)

const told = (error: unknown): unknown => (mayBeAskedAgain(error) ? lostSnapshot(error) : error)

async function orLost<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw told(error)
  }
}

function asReading(tree: RemoteTree): ReadingTree {
  return {
    overlay: (below) => tree.overlay(below),
    get(snapshot, ...rest) {
      const found = tree.get(snapshot, ...rest)
      return snapshot === undefined ? found : persistent(found, orLost)
    },
    scan(snapshot, ...rest): ScanCursor {
      const cursor = tree.scan(snapshot, ...rest)
      return { next: () => orLost(() => cursor.next()), close: () => cursor.close() }
    },
    aggregate: (snapshot, ...rest) => orLost(() => tree.aggregate(snapshot, ...rest)),
    groupedAggregate: (snapshot, ...rest) => orLost(() => tree.groupedAggregate(snapshot, ...rest)),
    topRows: (snapshot, ...rest) => orLost(() => tree.topRows(snapshot, ...rest)),
  }
}

/** By whom is asked, so that questions to one node still go together. */
const persistentAsked = new WeakMap<AskedElsewhere, AskedElsewhere>()

function persistent(found: RowHandle | PointFetch | undefined, run: <T>(ask: () => Promise<T>) => Promise<T>): RowHandle | PointFetch | undefined {
  if (found === undefined || !('fetch' in found)) return found
  const { elsewhere } = found
  if (elsewhere === undefined) return { ...found, fetch: () => run(() => found.fetch()) }
  const asked = persistentAsked.get(elsewhere.asked) ?? { ask: (reads, stats) => run(() => elsewhere.asked.ask(reads, stats)) }
  persistentAsked.set(elsewhere.asked, asked)
  return { ...found, fetch: () => run(() => found.fetch()), elsewhere: { ...elsewhere, asked } }
}
