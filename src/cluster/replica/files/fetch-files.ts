/** Fetching what another replica has in files, for one that lacks what the log no longer has. Begun again from the start after any failure. */
import { LsmtError } from '../../../errors.ts'
import type { FetchedFiles } from '../../../lsm/replicated/replicated-tree.ts'
import { pause } from '../../../runtime/alarms.ts'
import type { Alarms } from '../../../runtime/alarms.ts'
import type { Log } from '../../../runtime/log.ts'
import type { ReplicaId } from '../../replication/configuration.ts'
import type { ReplicaEvent } from '../../replication/event.ts'
import type { LogEnd } from '../../replication/state/epochs.ts'
import { createTold } from '../../transport/told.ts'
import type { Transport } from '../../transport/transport.ts'
import { encodeFilesQuestion, filesMethod } from './files-stream.ts'
import { receiveFiles } from './receive-files.ts'
import { createStreamBytes } from './stream-bytes.ts'

export interface FetchOptions {
  readonly shard: number
  readonly store: string
  readonly transport: Pick<Transport, 'stream'>
  readonly alarms: Alarms
  readonly clock: { monotonicMs(): number }
  readonly log: Log
  /** Puts them in place of log and files. Rejects when all is as it was. */
  install(received: FetchedFiles): Promise<void>
  give(event: ReplicaEvent): void
}

export interface FetchFiles {
  begin(from: ReplicaId, through: LogEnd): void
  /** What is under way is of no use any more. */
  cancel(): void
  /** Resolves when nothing is under way. */
  ended(): Promise<void>
}

/** After a failure, until the leader is told that files are wanted again. */
const retryPauseMs = 500

export function createFetchFiles({ shard, store, transport, alarms, clock, log, install, give }: FetchOptions): FetchFiles {
  const told = createTold(clock)
  let abort = new AbortController()
  let running = Promise.resolve()

  async function fetch(from: ReplicaId, atLeast: LogEnd, signal: AbortSignal): Promise<LogEnd> {
    const question = encodeFilesQuestion({ shard, store: from.store, forStore: store })
    const bytes = createStreamBytes(transport.stream(from.node, filesMethod, [question], { signal }))
    try {
      const received = await receiveFiles(bytes)
      if (received.through.sequence < atLeast.sequence) throw new LsmtError('08P01', `files of ${from.node} end at sequence ${received.through.sequence}, at least ${atLeast.sequence} was said`)
      await install(received)
      return received.through
    } finally {
      await bytes.end()
    }
  }

  async function run(from: ReplicaId, atLeast: LogEnd, { signal }: AbortController): Promise<void> {
    try {
      const through = await fetch(from, atLeast, signal)
      log.info({ shard, from: from.node, sequence: through.sequence }, `shard ${shard}: the files of ${from.node} are here, up to sequence ${through.sequence}`)
      give({ kind: 'filesFetched', through })
    } catch (error) {
      const line = `shard ${shard}: the files of ${from.node} did not come: ${error instanceof Error ? error.message : String(error)}`
      if (told.isNews(from.node, line)) log.warn({ shard, from: from.node, err: error }, line)
      await pause(alarms, retryPauseMs, signal)
      give({ kind: 'fetchFailed' })
    }
  }

  return {
    begin(from, through) {
      abort = new AbortController()
      running = run(from, through, abort)
    },
    cancel: () => abort.abort(new LsmtError('57014', 'the leader has changed')),
    ended: () => running,
  }
}
