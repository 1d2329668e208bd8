/** Commits: admission, the last look at the tables, and the append to the logs of all shards in one synchronous step. */
import type { LsmtError } from '../../errors.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import type { Doubt } from '../../lsm/log/doubt.ts'
import { afterwards } from '../../runtime/afterwards.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { Admission } from '../shards/admission.ts'
import type { Committer, StatementPart } from '../shards/commit.ts'
import { firstUserTableId } from '../tables/catalog.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { TableLocks } from './locks.ts'
import { checkCurrent } from './writer.ts'

export interface CommitFloor {
  readonly trees: readonly Tree[]
  readonly committer: Committer
  readonly admission: Admission
  readonly assertOpen: () => void
  readonly room: DiskRoom
  /** Of a log that may not know at once what came of a write. */
  readonly doubt?: Doubt | undefined
  /** Why nothing is appended now; undefined: it is. */
  readonly refusal?: (() => LsmtError | undefined) | undefined
}

/** Lets others pass: not before what is in doubt is decided, since they would not see it. */
export function releaseDecided(doubt: Doubt | undefined, release: () => void): void {
  if (doubt === undefined) release()
  else doubt.afterwards(release)
}

/** The same for all that a table's locks let go of. */
export function decidedLocks(locks: TableLocks, doubt: Doubt | undefined): TableLocks {
  if (doubt === undefined) return locks
  const decided = (release: () => void) => () => doubt.afterwards(release)
  return {
    lockKeys: async (hashes) => decided(await locks.lockKeys(hashes)),
    enterBlind: () => locks.enterBlind(),
    leaveBlind: (count) => doubt.afterwards(() => locks.leaveBlind(count)),
    lockTable: async () => decided(await locks.lockTable()),
    get activeCount() { return locks.activeCount },
  }
}

/**
 * Commits when back-pressure lets it: at once, in this synchronous step, when nothing makes it wait. Resolves when the
 * parts are durable as set, and visible. 42P01 and 40001 when one of `tables` is not what the parts were made for, 53100
 * while the disk is full.
 */
export function commitAdmitted(floor: CommitFloor, tables: readonly TableAccess[], parts: readonly StatementPart[]): Promise<void> {
  const { admission } = floor
  const bytes = admission.bytesOf(parts)
  const wait = waitForTrees(floor, parts)
  if (wait !== undefined || !admission.tryReserve(bytes)) return commitWaiting(floor, tables, parts, bytes, wait)
  return commitReserved(floor, tables, parts, bytes)
}

/** The same for one who waits already, or finds no room. */
export async function commitWaiting(floor: CommitFloor, tables: readonly TableAccess[], parts: readonly StatementPart[], bytes: number, wait: Promise<unknown> | undefined): Promise<void> {
  await wait
  await floor.admission.reserve(bytes)
  await commitReserved(floor, tables, parts, bytes)
}

function commitReserved(floor: CommitFloor, tables: readonly TableAccess[], parts: readonly StatementPart[], bytes: number): Promise<void> {
  const release = (): void => floor.admission.release(bytes)
  let committed: Promise<void>
  try {
    committed = append(floor, tables, parts)
  } catch (error) {
    release()
    throw error
  }
  const done = afterwards(committed, release)
  // Who changes the catalog or keeps records of requests goes on by what has become visible, and waits for it.
  return floor.doubt === undefined || tables.some(({ schema }) => schema.tableId < firstUserTableId) ? done : floor.doubt.watch(done)
}

/** Waits while a tree's flushes and compactions lag behind; undefined when none does. */
function waitForTrees({ trees, committer }: CommitFloor, parts: readonly StatementPart[]): Promise<unknown> | undefined {
  let waits: Promise<void>[] | undefined
  for (const part of parts) {
    const wait = trees[part.shard]!.admit(committer.heldBytes(part.shard) + part.batch.length)
    if (wait !== undefined) (waits ??= []).push(wait)
  }
  return waits && Promise.all(waits)
}

/** Appends in this synchronous step, if the tables are still there. */
function append(floor: CommitFloor, tables: readonly TableAccess[], parts: readonly StatementPart[]): Promise<void> {
  assertAppending(floor)
  for (const access of tables) checkCurrent(access)
  return floor.committer.commit(parts)
}

/** Throws why nothing can be appended now. */
export function assertAppending({ assertOpen, room, doubt, refusal }: CommitFloor): void {
  assertOpen()
  const refused = refusal?.()
  if (refused !== undefined) throw refused
  if (room.refusal !== undefined) throw room.refusal
  if (doubt?.refusal !== undefined) throw doubt.refusal
}
