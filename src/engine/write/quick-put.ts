/**
 * Single rows on their way into the batch that small statements share (../shards/shared-batches.ts): written where they will
 * stand in it, and settled all together. A statement by itself makes bytes, promises and callbacks of its own for
 * everything that it does; many writers of small rows spend more on those than on their rows.
 *
 * It is checked, locked and admitted as any other statement; whatever makes one wait goes on as such.
 */
import { batchHeaderBytes, operationHeaderBytes, tableIdBytes } from '../../lsm/batch.ts'
import { keyBytesMax } from '../codec/key-codec.ts'
import { rowBytesMax } from '../codec/row-codec.ts'
import { afterwards } from '../../runtime/afterwards.ts'
import type { EngineRow } from '../engine.ts'
import { bytesOfOperation } from '../shards/admission.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { assertAppending, commitWaiting } from './commit-admitted.ts'
import type { CommitFloor } from './commit-admitted.ts'
import type { TableLocks } from './locks.ts'
import { putAt } from './statement.ts'
import type { KeySource } from './statement.ts'
import { checkCurrent } from './writer.ts'

export interface QuickPuts {
  /** Writes a checked row whatever was there before; gives 1 when it is durable as set, and visible. Undefined: it is to be written as any other. */
  put(access: TableAccess, row: EngineRow): Promise<number> | undefined
}

/** Puts of one table that share a batch. */
interface Company {
  readonly applied: Promise<void>
  readonly locks: TableLocks
  count: number
  reservedBytes: number
  readonly settled: Promise<number>
}

export function createQuickPuts(floor: CommitFloor, source: KeySource): QuickPuts {
  /** The last of each shard. */
  const companies: (Company | undefined)[] = floor.trees.map(() => undefined)

  function join(shard: number, locks: TableLocks, applied: Promise<void>, reservedBytes: number): Promise<number> {
    let company = companies[shard]
    if (company?.applied !== applied || company.locks !== locks) companies[shard] = company = createCompany(floor, locks, applied)
    company.count++
    company.reservedBytes += reservedBytes
    return company.settled
  }

  return {
    put(access, row) {
      const { committer: { shared }, doubt } = floor
      if (shared === undefined || doubt !== undefined) return undefined
      source.scratch.writeOne(access, row, access.keyInRow)
      const shard = source.scratch.shardOf(0)
      const builder = shared.builderOf(shard, operationBytesMax(access, row))
      const { locks } = access.state
      if (builder === undefined || !locks.enterBlind()) return undefined
      const heldBytes = builder.byteLength
      try {
        assertAppending(floor)
        checkCurrent(access)
        putAt(source, builder, access, 0, row)
      } catch (error) {
        builder.takeBack(heldBytes)
        locks.leaveBlind()
        throw error
      }
      const bytes = bytesOfOperation(builder.byteLength - heldBytes)
      const wait = floor.trees[shard]!.admit(batchHeaderBytes + builder.byteLength)
      if (wait === undefined && floor.admission.tryReserve(bytes)) return shared.isAlone() ? putAlone(floor, locks, { shard, batch: builder.finish(), operationCount: 1 }, bytes) : join(shard, locks, shared.joined(shard), bytes)
      return putWaiting(floor, access, { shard, batch: builder.takeBack(heldBytes)!, operationCount: 1 }, bytes, wait)
    },
  }
}

function createCompany({ admission }: CommitFloor, locks: TableLocks, applied: Promise<void>): Company {
  const end = (): void => {
    admission.release(company.reservedBytes)
    locks.leaveBlind(company.count)
  }
  const settled = applied.then(
    () => {
      end()
      return 1
    },
    (error: unknown) => {
      end()
      throw error
    },
  )
  const company: Company = { applied, locks, count: 0, reservedBytes: 0, settled }
  return company
}

const oneRow = Promise.resolve(1)

/** What a batch of its own costs is less than what it spares who waits for nobody: it is over when this returns. */
function putAlone({ admission, trees }: CommitFloor, locks: TableLocks, { shard, batch }: StatementPart, bytes: number): Promise<number> {
  const end = (): void => {
    admission.release(bytes)
    locks.leaveBlind()
  }
  const applied = trees[shard]!.appendAtOnce!(batch)
  if (applied !== undefined) return afterwards(applied, end).then(() => 1)
  end()
  return oneRow
}

async function putWaiting(floor: CommitFloor, access: TableAccess, part: StatementPart, bytes: number, wait: Promise<unknown> | undefined): Promise<number> {
  try {
    await commitWaiting(floor, [access], [part], bytes, wait)
    return 1
  } finally {
    access.state.locks.leaveBlind()
  }
}

/** With up to three zeros behind. */
function operationBytesMax({ keyInRow, rows }: TableAccess, row: EngineRow): number {
  return operationHeaderBytes + tableIdBytes + keyBytesMax(row, keyInRow) + rowBytesMax(rows, row) + 4
}
