/** A database that this process opens for as long as the command runs. */
import type { Engine } from '../../engine/engine.ts'
import { holdsDatabase } from '../../engine/open-database.ts'
import { LsmtError } from '../../errors.ts'
import { loadFormat } from '../../http/format/choose-format.ts'
import { writeResults } from '../../http/format/write-results.ts'
import type { AnswerSink } from '../../http/format/write-results.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { DatabaseSettings, KernelKind } from '../../settings.ts'
import { importUnderKey } from '../../sql/import/keyed-import.ts'
import { createSql, sqlSettings } from '../../sql/sql.ts'
import { addressName } from '../../storage/open-storage.ts'
import type { FlagSource } from '../command.ts'
import type { CliHost } from '../host.ts'
import { statusOf } from '../serve/status.ts'
import type { Connection, WriteChunk } from './connection.ts'
import { commitOf } from './commit-kind.ts'
import { opening } from './opening.ts'
import { chosenDatabase, readingRequest } from './storage-flags.ts'
import type { GuestFlags, PlaceAddress, ReaderFlags } from './storage-flags.ts'

export interface EngineConnection extends Connection {
  readonly engine: Engine
}

/** 58P01 when there is no database, 55006 when a process has it open. */
export async function openHere(flags: GuestFlags & ReaderFlags & { readonly kernels: KernelKind }, sourceOf: (flag: string) => FlagSource, host: CliHost): Promise<EngineConnection> {
  const settings: DatabaseSettings = { ...defaultDatabaseSettings, kernels: flags.kernels }
  const place = chosenDatabase(flags, sourceOf)
  const { address } = place
  const engine = await openExisting(address, () => host.openEngine({ ...place, settings, isShardCountGiven: false, mayTakeOver: flags.takeOver === true, ...readingRequest(flags) }))
  const sql = createSql(engine, sqlSettings(settings), host.clock)
  const startMs = host.clock.monotonicMs()
  const node = { version: host.version, settings, address, uptimeMs: () => host.clock.monotonicMs() - startMs }
  const commit = commitOf(settings.durability, place)
  return {
    name: addressName(address),
    isServer: false,
    engine,
    async query(text, name, write, signal) {
      const format = await loadFormat(name)
      const prepared = sql.prepare(text)
      const run = sql.start(prepared, undefined, { oneWithRows: !format.takesAll, ...(signal !== undefined && { signal }) })
      const sink = createChunkSink(write)
      const writer = { sink, format, commit, monotonicMs: host.clock.monotonicMs }
      try {
        await writeResults(writer, run, prepared.count)
      } finally {
        run.close()
      }
      await sink.room()
    },
    importRows: (request, idempotencyKey) => importUnderKey(engine, { ...request, clock: host.clock }, idempotencyKey),
    status: async () => statusOf(engine, node) as Readonly<Record<string, unknown>>,
    close: engine.close,
  }
}

/** Opening makes a database where there is none, which commands that look for one should not. */
export async function openExisting<T>(address: PlaceAddress, open: () => Promise<T>): Promise<T> {
  if (!(await opening(holdsDatabase(address)))) throw new LsmtError('58P01', `there is no database in ${addressName(address)}`, { hint: 'lsmt serve makes one' })
  try {
    return await opening(open())
  } catch (error) {
    if (error instanceof LsmtError && error.code === '55006') throw new LsmtError('55006', error.message, { ...error.evidence, hint: `if a server has it open, work with that: --url http://host:port${address.kind === 's3' ? '; to only look, --read-only; if nobody has it open, --take-over' : ''}` }, error)
    throw error
  }
}

/** Hands chunks on one after the other; who makes them waits in `room` until the last one is taken. */
function createChunkSink(write: WriteChunk): AnswerSink {
  let last: Promise<void> | undefined
  return {
    write(chunk) {
      if (chunk.length === 0) return
      last = (last ?? Promise.resolve()).then(() => write(chunk))
      // Who waits in `room` is told.
      last.catch(() => {})
    },
    room: () => last,
    flush() {},
  }
}
