/** What the statements that change the catalog share: the tables as they are, one change after the other, each one atomic statement. */
import { LsmtError } from '../../errors.ts'
import type { StatementBuilder } from '../write/statement.ts'
import { buildParts } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'
import type { TableAccess } from './table-access.ts'

export interface TablesState {
  readonly writer: Writer
  readonly catalog: TableAccess
  readonly byName: Map<string, TableAccess>
  /** Those that are staged (staged-table.ts) have an id and no name. */
  readonly byId: Map<number, TableAccess>
  nextTableId: number
  version: number
  /** Settles when the last of the statements that change the catalog is done; they run one after the other. */
  tail: Promise<unknown>
}

/** Runs after the changes before it, whatever became of them. */
export function inTurn<T>(state: TablesState, run: () => Promise<T>): Promise<T> {
  const turn = state.tail.then(run, run)
  state.tail = turn.catch(() => {})
  return turn
}

export function register(state: TablesState, access: TableAccess, before?: TableAccess): void {
  if (before !== undefined) {
    state.byName.delete(before.schema.name)
    state.byId.delete(before.schema.tableId)
  }
  state.byName.set(access.schema.name, access)
  state.byId.set(access.schema.tableId, access)
  state.version++
}

/** No writes from now on, unless `run` fails. */
export async function leaving(access: TableAccess, gone: 'dropped' | 'truncated', run: () => Promise<void>): Promise<void> {
  access.state.gone = gone
  try {
    await run()
  } catch (error) {
    access.state.gone = undefined
    throw error
  }
}

export function existing({ writer, byName }: TablesState, name: string): TableAccess {
  writer.shards.assertOpen()
  const access = byName.get(name)
  if (access === undefined) throw unknownTable(name)
  return access
}

/** `commit`: the writer's own, unless the change brings something with it. */
export async function change({ writer, catalog }: TablesState, add: (builder: StatementBuilder) => void, commit: Writer['commit'] = writer.commit): Promise<void> {
  const parts = buildParts(writer, add)
  await commit(catalog, parts, 0)
}

export function unknownTable(name: string): LsmtError {
  return new LsmtError('42P01', `table "${name}" does not exist`)
}

