/**
 * The logs of all shards of a database in a directory, with the journal that they share. An opening reads the journal that
 * an earlier writer left, once for all shards; a shard's log is then what its own segments hold, and what the journal has
 * after that. Whoever goes on writes the latter to the shard's own log first. When all shards have it there durably, the
 * old journal is deleted, and only then may a new one be begun and anything new be written: a crash before that finds the
 * same once more, and what has been taken over already is passed over by its sequences.
 */
import type { LogSource } from '../log-source.ts'
import type { LogRecord } from '../log.ts'
import { partsIn } from '../logged-parts.ts'
import { segmentLog } from '../segment-log.ts'
import type { SegmentLogOptions } from '../segment-log.ts'
import { createCommitJournal } from './commit-journal.ts'
import type { CommitJournalOptions, JournalCounts } from './commit-journal.ts'
import { noJournal, readJournal, recordsAfter } from './read-journal.ts'
import type { FoundJournal, JournalFloor, JournalRecord } from './read-journal.ts'
import { removeJournal } from './remove-journal.ts'

export interface JournalledLogs {
  /** Of a shard. Each shard's is opened once. */
  source(options: SegmentLogOptions): LogSource
  readonly counts: JournalCounts
  /** After the logs were closed. */
  close(): Promise<void>
}

export interface JournalledLogsOptions extends CommitJournalOptions, JournalFloor {
  readonly shards: number
  /** false: what is there is read, and no new journal is begun. */
  readonly isUsed: boolean
}

interface OpeningState {
  readonly options: JournalledLogsOptions
  /** Empty once all shards have taken theirs over. */
  found: FoundJournal
  /** Shards whose own log has all that was found. */
  taken: number
}

/** XX001 when the journal that is there cannot be read. */
export async function openJournalledLogs(options: JournalledLogsOptions): Promise<JournalledLogs> {
  const state: OpeningState = { options, found: await readJournal(options, options.shards), taken: 0 }
  const journal = createCommitJournal(options)
  return {
    source: (logOptions) => ({
      async read(afterSequence) {
        const own = await segmentLog({ ...logOptions, journal }).read(afterSequence)
        const end = Math.max(own.lastSequence, afterSequence)
        const left = recordsAfter(state.found, logOptions.shard, end)
        const records = (): AsyncIterable<LogRecord> => bothOf(own.records(), left)
        return {
          records,
          parts: () => partsIn(records()),
          lastSequence: left.at(-1)?.lastSequence ?? own.lastSequence,
          async openWriter(writerEpoch) {
            const writer = await own.openWriter(writerEpoch, end)
            try {
              await Promise.all([...left.map(({ baseSequence, payload }) => writer.append(baseSequence, payload)), writer.sync()])
              if (await isLastToTake(state) && options.isUsed) journal.begin(writerEpoch)
              return writer
            } catch (error) {
              await writer.close().catch(() => undefined)
              throw error
            }
          },
        }
      },
    }),
    get counts() { return journal.counts },
    close: () => journal.close(),
  }
}

async function* bothOf(own: AsyncIterable<LogRecord>, left: readonly JournalRecord[]): AsyncGenerator<LogRecord> {
  yield* own
  yield* left
}

/** Whether this shard is the last; then the old journal goes. */
async function isLastToTake(state: OpeningState): Promise<boolean> {
  const { storage, shards } = state.options
  if (++state.taken < shards) return false
  await removeJournal(storage, state.found.files, state.found.isTaken)
  state.found = noJournal
  return true
}
