/** A shard's log as its tree opens it: read first, then written on, wherever it is kept. */
import type { Log, LogRecord } from './log.ts'
import type { LoggedParts } from './logged-parts.ts'

export interface LogSource {
  /** Everything up to `afterSequence` is in table files and need not be in the log. XX001 when what is needed is not there. */
  read(afterSequence: number): Promise<FoundLog>
}

export interface FoundLog {
  /** Records after `afterSequence`, in order; may be iterated again. */
  records(): AsyncIterable<LogRecord>
  /** What is said of statements over several shards after `afterSequence`. */
  parts(): Promise<LoggedParts>
  /** The last sequence in the log; 0 when it holds none. The writer starts after it, and after what is flushed. */
  readonly lastSequence: number
  /** Begins to write after `baseSequence`, the last sequence that is durable anywhere. */
  openWriter(writerEpoch: number, baseSequence: number): Promise<Log>
}
