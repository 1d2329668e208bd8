/** Requests under idempotency keys over a model: records in a map, which a write sets in the same turn in which it succeeds. */
import type { Engine, EngineRequest, RecordingSession } from '../../src/engine/engine.ts'
import type { RecordOf, RequestRecord } from '../../src/engine/requests/request-record.ts'
import { checkIdempotencyKey } from '../../src/engine/requests/requests.ts'

export function modelRequests(engine: () => Engine): Engine['request'] {
  const records = new Map<string, RequestRecord>()
  const tails = new Map<string, Promise<void>>()

  return async (key): Promise<EngineRequest> => {
    checkIdempotencyKey(key)
    const before = tails.get(key)
    let release = (): void => {}
    tails.set(key, new Promise<void>((resolve) => (release = resolve)))
    await before
    return {
      record: records.get(key),
      release,
      recording: (recordOf) => recordingSession(engine(), recordOf, (record) => void records.set(key, record)),
      write: async (record) => void records.set(key, record),
    }
  }
}

function recordingSession(engine: Engine, recordOf: RecordOf, set: (record: RequestRecord) => void): RecordingSession {
  let isRecorded = false
  /** What a model writes is written when its call returns; nobody sees it before this continues. */
  const recorded = async <T>(write: Promise<T>, rowCount: (answer: T) => number): Promise<T> => {
    const answer = await write
    set(recordOf(rowCount(answer)))
    isRecorded = true
    return answer
  }
  const count = (write: Promise<number>): Promise<number> => write.then((changed) => (changed === 0 ? 0 : recorded(Promise.resolve(changed), Number)))
  return {
    ...engine,
    get isRecorded() { return isRecorded },
    createTable: (table) => recorded(engine.createTable(table), () => 0),
    dropTable: (name) => recorded(engine.dropTable(name), () => 0),
    alterTable: (name, change) => recorded(engine.alterTable(name, change), () => 0),
    truncateTable: (name) => recorded(engine.truncateTable(name), () => 0),
    publishStaged: (staged, table, mode) => recorded(engine.publishStaged(staged, table, mode), () => 0),
    insert: (...given) => count(engine.insert(...given)),
    insertColumns: (...given) => count(engine.insertColumns(...given)),
    insertOrUpdate: (...given) => count(engine.insertOrUpdate(...given)),
    update: (...given) => count(engine.update(...given)),
    updateWhere: (...given) => count(engine.updateWhere(...given)),
    deleteWhere: (...given) => count(engine.deleteWhere(...given)),
    write: (...given) => recorded(engine.write(...given), () => given[1].length),
    deleteRange: (...given) => recorded(engine.deleteRange(...given), () => 0),
    async begin(written) {
      const transaction = await engine.begin(written)
      return { ...transaction, commit: async () => (await transaction.commit()) && (await recorded(Promise.resolve(true), () => 0)) }
    },
  }
}
