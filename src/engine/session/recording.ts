/** Sessions whose writes bring a record of their request with them. */
import type { Engine, EngineRequest, RecordingSession } from '../engine.ts'
import type { RecordOf } from '../requests/request-record.ts'
import type { Requests } from '../requests/requests.ts'
import type { StatementPart } from '../shards/commit.ts'
import type { Writer } from '../write/writer.ts'
import { beginTransaction } from './transaction.ts'
import type { TransactionFloor } from './transaction.ts'
import { createWrites } from './writes.ts'

/** What plain statements have. */
export interface RecordingFloor extends TransactionFloor {
  readonly requests: Requests
  /** Reads of its sessions are those of plain statements. */
  readonly engine: () => Engine
}

/** See `Engine.request`. */
export async function takeRequest(floor: RecordingFloor, key: string): Promise<EngineRequest> {
  const { requests } = floor
  const { record, release } = await requests.take(key)
  return {
    record,
    release,
    recording: (recordOf) => recordingSession(floor, key, recordOf),
    write: (given) => requests.write(key, given),
  }
}

function recordingSession(floor: RecordingFloor, key: string, recordOf: RecordOf): RecordingSession {
  const { writer, tables, texts, requests } = floor
  let isRecorded = false
  const record = async (parts: readonly StatementPart[], rowCount: number, commit: (parts: readonly StatementPart[]) => Promise<void>): Promise<void> => {
    await requests.commit(key, recordOf(rowCount), parts, commit)
    isRecorded = true
  }
  const commit: Writer['commit'] = (access, statement, rowCount) => record(statement, rowCount, (parts) => writer.commit(access, parts, rowCount))
  return {
    ...floor.engine(),
    ...createWrites({ ...writer, commit }, tables, texts),
    createTable: (table) => tables.create(table, commit),
    dropTable: (name) => tables.drop(name, commit),
    alterTable: (name, change) => tables.alter(name, change, commit),
    truncateTable: (name) => tables.truncate(name, commit),
    publishStaged: (staged, table, mode) => tables.publishStaged(staged, table, mode, commit),
    begin: (written) => beginTransaction({ ...floor, commitBy: (statement, commitParts) => record(statement, 0, commitParts) }, written),
    get isRecorded() {
      return isRecorded
    },
  }
}
