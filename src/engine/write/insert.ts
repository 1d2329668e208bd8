/** INSERT in its modes. Rows arrive checked, with their hidden key where the table has one. */
import { LsmtError } from '../../errors.ts'
import { readRow } from '../codec/read-row.ts'
import { checkRow } from '../check-value.ts'
import { checkKey } from '../codec/key-codec.ts'
import type { EngineRow, PreparePairs, WriteOperation } from '../engine.ts'
import { readNewest } from '../read/point-read.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { TableAccess } from '../tables/table-access.ts'
import type { TableLocks } from './locks.ts'
import { buildParts, duplicateKey, keyHashes, keyIdentities, keyOf } from './writer.ts'
import type { Writer } from './writer.ts'
import type { ReadStats } from '../../lsm/tree.ts'

/** Writes rows whatever was there before; gives their number. Synchronous up to the append when nothing makes it wait. */
export function writeBlind(writer: Writer, access: TableAccess, rows: readonly EngineRow[]): Promise<number> {
  const parts = buildParts(writer, (builder) => builder.put(access, rows))
  return commitBlind(writer, access, { parts, rowCount: rows.length }, () => keyHashes(writer, access, rows, access.keyInRow))
}

/** The same for puts and deletes, in their order. */
export function writeOperations(writer: Writer, access: TableAccess, operations: readonly WriteOperation[]): Promise<number> {
  const checked = operations.map((each): WriteOperation => ('put' in each ? { put: checkRow(access.schema, each.put) } : { delete: checkKey(access.keys, each.delete) }))
  const parts = buildParts(writer, (builder) => {
    for (const each of checked) {
      if ('put' in each) builder.put(access, [each.put])
      else builder.delete(access, [each.delete])
    }
  })
  const keys = (): EngineRow[] => checked.map((each) => ('put' in each ? keyOf(access, each.put) : each.delete))
  return commitBlind(writer, access, { parts, rowCount: operations.length }, () => keyHashes(writer, access, keys(), access.keyInKey))
}

/** Parts of a statement, and how many rows it changes. */
export interface BlindWrite {
  readonly parts: readonly StatementPart[]
  readonly rowCount: number
}

/** Gives the number of rows. */
export function commitBlind(writer: Writer, access: TableAccess, { parts, rowCount }: BlindWrite, hashes: () => Uint32Array): Promise<number> {
  const locks = writer.locksOf(access)
  const commit = (): Promise<void> => writer.commit(access, parts, rowCount)
  return locks.enterBlind() ? leaveBlindAfter(locks, rowCount, commit) : commitLocked(locks, hashes(), rowCount, commit)
}

async function commitLocked(locks: TableLocks, hashes: Uint32Array, rowCount: number, commit: () => Promise<void>): Promise<number> {
  const release = await locks.lockKeys(hashes)
  try {
    await commit()
    return rowCount
  } finally {
    release()
  }
}

function leaveBlindAfter(locks: TableLocks, rowCount: number, commit: () => Promise<void>): Promise<number> {
  let committed: Promise<void>
  try {
    committed = commit()
  } catch (error) {
    locks.leaveBlind()
    throw error
  }
  return committed.then(
    () => {
      locks.leaveBlind()
      return rowCount
    },
    (error: unknown) => {
      locks.leaveBlind()
      throw error
    },
  )
}

/** Writes the rows whose keys do not exist; returns how many. With 'insert' an existing key is 23505 instead. */
export async function writeNew(writer: Writer, access: TableAccess, rows: readonly EngineRow[], mode: 'insert' | 'insert-or-ignore', stats?: ReadStats): Promise<number> {
  const hashes = keyHashes(writer, access, rows, access.keyInRow)
  const once = withoutRepeats(writer, access, rows, hashes, mode)
  const release = await writer.locksOf(access).lockKeys(hashes)
  try {
    const fresh: EngineRow[] = []
    await readNewest(writer.shards, access, once, access.keyInRow, (index, found) => {
      if (found === undefined) fresh.push(once[index]!)
      else if (mode === 'insert') throw duplicateKey(access, once[index]!)
    }, stats)
    if (fresh.length > 0) await write(writer, access, fresh, fresh.length)
    return fresh.length
  } finally {
    release()
  }
}

async function write(writer: Writer, access: TableAccess, rows: readonly EngineRow[], rowCount: number): Promise<void> {
  await writer.commit(access, buildParts(writer, (builder) => builder.put(access, rows)), rowCount)
}

/** The first row of each key; with 'insert', a second one is 23505. Keys are compared only when two hashes are equal. */
function withoutRepeats(writer: Writer, access: TableAccess, rows: readonly EngineRow[], hashes: Uint32Array, mode: 'insert' | 'insert-or-ignore'): readonly EngineRow[] {
  if (rows.length === 1 || new Set(hashes).size === rows.length) return rows
  const seen = new Set<string>()
  const identities = keyIdentities(writer, access, rows, access.keyInRow)
  return rows.filter((row, i) => {
    const isFirst = !seen.has(identities[i]!)
    if (!isFirst && mode === 'insert') throw duplicateKey(access, row)
    seen.add(identities[i]!)
    return isFirst
  })
}

/** Writes the rows whose keys do not exist and what `change` makes of the others; returns rows written. */
export async function writeOrChange(writer: Writer, access: TableAccess, rows: readonly EngineRow[], change: (existing: EngineRow, proposed: EngineRow, isWritten: boolean) => EngineRow | 'keep', prepare?: PreparePairs, stats?: ReadStats): Promise<number> {
  const identities = keyIdentities(writer, access, rows, access.keyInRow)
  const columns = access.schema.columns.map((_, ordinal) => ordinal)
  const release = await writer.locksOf(access).lockKeys(keyHashes(writer, access, rows, access.keyInRow))
  try {
    const current = new Map<string, EngineRow>()
    await readNewest(writer.shards, access, rows, access.keyInRow, (index, found) => {
      if (found !== undefined) current.set(identities[index]!, readRow(writer.shards.kernel.memory, access, found, columns, keyOf(access, rows[index]!)))
    }, stats)
    if (prepare !== undefined) await prepare(rows.flatMap((row, i) => {
      const existing = current.get(identities[i]!)
      return existing === undefined ? [] : [[existing, row] as const]
    }))
    const changed = new Map<string, EngineRow>()
    let count = 0
    for (const [i, row] of rows.entries()) {
      const identity = identities[i]!, existing = current.get(identity)
      const becomes = existing === undefined ? row : changedRow(writer, access, change(existing, row, changed.has(identity)), identity)
      if (becomes === 'keep') continue
      current.set(identity, becomes)
      changed.set(identity, becomes)
      count++
    }
    if (changed.size > 0) await write(writer, access, [...changed.values()], count)
    return count
  } finally {
    release()
  }
}

function changedRow(writer: Writer, access: TableAccess, becomes: EngineRow | 'keep', identity: string): EngineRow | 'keep' {
  if (becomes === 'keep') return 'keep'
  const row = checkRow(access.schema, becomes)
  const [after] = keyIdentities(writer, access, [row], access.keyInRow)
  if (after !== identity) throw new LsmtError('0A000', `an INSERT that updates existing rows of table "${access.schema.name}" cannot change their primary key`)
  return row
}
