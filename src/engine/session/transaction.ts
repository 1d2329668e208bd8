/**
 * Transactions of one engine. A transaction first locks the tables that it will write, for itself alone, and takes its
 * snapshot then: what it reads of them stays as it is until its end, so there is nothing to check when it commits, and
 * transactions that write the same tables are as if they ran one after the other. What it only reads is of the snapshot.
 * It is a session like that of plain statements, over shards whose newest state is its own workspace, with a writer that
 * writes there; its commit is one statement, of all that it wrote, to all shards.
 */
import { LsmtError } from '../../errors.ts'
import type { Engine, EngineCatalog, EngineTransaction } from '../engine.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'
import type { Shards } from '../shards/shards.ts'
import type { TableAccess, TableState } from '../tables/table-access.ts'
import type { PinnedTables, Tables } from '../tables/tables.ts'
import { commitAdmitted, releaseDecided } from '../write/commit-admitted.ts'
import type { CommitFloor } from '../write/commit-admitted.ts'
import type { ColumnInserter } from '../write/columns/insert-columns.ts'
import type { TableLocks } from '../write/locks.ts'
import type { Writer } from '../write/writer.ts'
import { createReads } from './reads.ts'
import { createWorkspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'
import { createWrites } from './writes.ts'

export interface TransactionFloor {
  /** That of plain statements. */
  readonly writer: Writer
  readonly floor: CommitFloor
  readonly tables: Tables
  readonly texts: ColumnInserter
  readonly spillFile: Engine['spillFile']
  /** What its commit goes through; by default it only commits. */
  readonly commitBy?: (parts: readonly StatementPart[], commit: (parts: readonly StatementPart[]) => Promise<void>) => Promise<void>
}

/** See `Engine.begin`. */
export async function beginTransaction(parts: TransactionFloor, written: Parameters<Engine['begin']>[0]): Promise<EngineTransaction> {
  const { writer: { shards }, tables } = parts
  for (;;) {
    shards.assertOpen()
    const version = tables.version()
    const locked = statesOf(tables, written(catalogOf(tables)))
    const releases = await Promise.all([...locked].map(({ locks }) => locks.lockTable()))
    const release = (): void => releases.forEach((each) => each())
    try {
      const begun = await takeView(parts, (pinned) => pinned.version() === version || [...statesOf(pinned, written(catalogOf(pinned)))].every((state) => locked.has(state)))
      if (begun !== undefined) return createTransaction(parts, { ...begun, locked, release })
    } catch (error) {
      release()
      throw error
    }
    release()
  }
}

function statesOf(tables: PinnedTables, schemas: ReturnType<Parameters<Engine['begin']>[0]>): Set<TableState> {
  return new Set(schemas.map((schema) => tables.access(schema).state))
}

function catalogOf(tables: PinnedTables): EngineCatalog {
  return { tables: tables.list, table: tables.find, catalogVersion: tables.version }
}

interface TransactionView {
  readonly pinned: PinnedTables
  readonly snapshot: ShardSnapshot
}

/** The catalog and the rows of one moment; undefined when the catalog then is not `expected`. */
async function takeView({ writer: { shards }, tables }: TransactionFloor, expected: (pinned: PinnedTables) => boolean): Promise<TransactionView | undefined> {
  await tables.settled()
  shards.assertOpen()
  const pinned = tables.pin()
  if (!expected(pinned)) return undefined
  const snapshot = shards.snapshot()
  try {
    await snapshot.ready
    shards.assertOpen()
    return { pinned, snapshot }
  } catch (error) {
    snapshot.release()
    throw error
  }
}

interface Begun extends TransactionView {
  readonly locked: ReadonlySet<TableState>
  /** Lets others write the locked tables. */
  readonly release: () => void
}

interface TransactionState extends Begun {
  readonly parts: TransactionFloor
  readonly workspace: Workspace
  /** Tables that were written to. */
  readonly touched: Set<TableAccess>
  isOver: boolean
  /** A statement was applied in part. */
  isBroken: boolean
}

function createTransaction(parts: TransactionFloor, begun: Begun): EngineTransaction {
  const state: TransactionState = { ...begun, parts, workspace: createWorkspace(parts.floor.trees, begun.snapshot), touched: new Set(), isOver: false, isBroken: false }
  const { workspace } = state
  const shards = ownShards(state)
  return {
    ...catalogOf(begun.pinned),
    createTable: refuse('CREATE TABLE'),
    dropTable: refuse('DROP TABLE'),
    alterTable: refuse('ALTER TABLE'),
    truncateTable: refuse('TRUNCATE'),
    ...createReads(shards, begun.pinned),
    ...createWrites(ownWriter(state, shards), begun.pinned, parts.texts),
    spillFile: parts.spillFile,
    savepoint() {
      assertWhole(state)
      return { partCount: workspace.partCount }
    },
    rollbackTo({ partCount }) {
      assertWhole(state)
      state.isBroken = true
      workspace.cutTo(partCount)
      state.isBroken = false
    },
    commit: () => commit(state),
    rollback() {
      if (state.isOver) return
      end(state)
      begun.release()
    },
  }
}

/** 25P01 after the end; 25P02 when what it would read and write is half of a statement. */
function assertWhole({ parts, isOver, isBroken }: TransactionState): void {
  parts.floor.assertOpen()
  if (isOver) throw overError()
  if (isBroken) throw new LsmtError('25P02', 'a statement of the transaction failed half-way: it can only be rolled back')
}

function overError(): LsmtError {
  return new LsmtError('25P01', 'the transaction is over')
}

function refuse(what: string): () => Promise<never> {
  return async () => {
    throw new LsmtError('0A000', `${what} in a transaction is not supported`)
  }
}

/** Shards whose newest state is the transaction's. */
function ownShards(state: TransactionState): Shards {
  return {
    ...state.parts.writer.shards,
    assertOpen: () => assertWhole(state),
    newest: (shard) => state.workspace.snapshots[shard]!,
    snapshot: () => ({ shards: state.workspace.snapshots, ready: undefined, release() {} }),
  }
}

/** The transaction has its tables for itself. */
const heldLocks: TableLocks = {
  lockKeys: async () => () => {},
  lockTable: async () => () => {},
  enterBlind: () => true,
  leaveBlind() {},
  activeCount: 0,
}

function ownWriter(state: TransactionState, shards: Shards): Writer {
  const { parts: { writer, floor: { admission } }, workspace } = state
  return {
    ...writer,
    shards,
    locksOf({ schema, state: table }) {
      if (!state.locked.has(table)) throw new LsmtError('25006', `table "${schema.name}" is not among those that this transaction writes`, { hint: 'which tables it writes is told when it begins' })
      return heldLocks
    },
    async commit(access, statement) {
      const bytes = admission.bytesOf(statement)
      const byteLength = statement.reduce((sum, { batch }) => sum + batch.length, workspace.byteLength)
      if (byteLength > writer.statementBytesMax) throw new LsmtError('54000', `the transaction writes ${byteLength} bytes, at most ${writer.statementBytesMax} are possible; write in smaller transactions`)
      if (!admission.tryReserve(bytes)) await admission.reserve(bytes)
      try {
        assertWhole(state)
        state.isBroken = true
        workspace.write(statement)
        state.isBroken = false
        state.touched.add(access)
      } finally {
        admission.release(bytes)
      }
    },
  }
}

/** No reads and writes from here on; memory is given back before the commit asks for what it needs. */
function end(state: TransactionState): void {
  state.isOver = true
  state.workspace.release()
}

async function commit(state: TransactionState): Promise<boolean> {
  if (state.isOver) throw overError()
  try {
    const written = takeWritten(state)
    if (written.length === 0) return false
    const { floor, commitBy = commitAlone } = state.parts
    await commitBy(written, (parts) => commitAdmitted(floor, [...state.touched], parts))
    return true
  } finally {
    releaseDecided(state.parts.floor.doubt, state.release)
  }
}

const commitAlone: NonNullable<TransactionFloor['commitBy']> = (parts, commit) => commit(parts)

function takeWritten(state: TransactionState): readonly StatementPart[] {
  try {
    assertWhole(state)
    return state.workspace.joined()
  } finally {
    end(state)
  }
}
