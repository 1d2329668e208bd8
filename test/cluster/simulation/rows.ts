/** The log of a node as it has it in memory, and the rows that its committed part comes to. */
import type { LogEntry } from '../../../src/cluster/replication/state/log-state.ts'
import type { Disk, Rows } from './disk.ts'

/** What one entry writes, as rows of one batch: a value, and the record of the request, which stands alone where the request changed nothing. */
export interface Write {
  readonly request: string
  readonly key: string
  readonly outcome: RequestOutcome
  readonly value: string | null
}

export type RequestOutcome = 'written' | 'mismatch'

export const encodeWrite = (write: Write): Uint8Array => Buffer.from(JSON.stringify(write))
export const decodeWrite = (batch: Uint8Array): Write => JSON.parse(Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength).toString()) as Write

const valueOf = 'v '
const requestOf = 'r '

export interface NodeRows {
  readonly applied: number
  value(key: string): string | null
  /** What came of a request that has been carried out. */
  outcome(request: string): RequestOutcome | undefined
  append(entries: readonly LogEntry[]): void
  truncate(toSequence: number): void
  trim(throughSequence: number): void
  apply(throughSequence: number): void
  /** Some entries after a sequence; undefined when they are no longer in the log. */
  read(afterSequence: number): readonly LogEntry[] | undefined
  snapshot(): Rows
  /** As the disk has it. */
  load(): void
  entries(): readonly LogEntry[]
}

const readMax = 6

/** `decode` reads what stands in a batch. */
export function createRows(disk: () => Disk, decode: (batch: Uint8Array) => Write = decodeWrite): NodeRows {
  let rows = new Map<string, string>(), log: LogEntry[] = [], applied = 0, start = 0
  const place = (sequence: number): number => {
    let at = log.length
    while (at > 0 && log[at - 1]!.baseSequence > sequence) at--
    return at
  }
  return {
    get applied() { return applied },
    value: (key) => rows.get(valueOf + key) ?? null,
    outcome: (request) => rows.get(requestOf + request) as RequestOutcome | undefined,
    append: (entries) => void log.push(...entries),
    truncate: (toSequence) => void (log = log.filter(({ lastSequence }) => lastSequence <= toSequence)),
    trim(throughSequence) {
      start = Math.max(start, throughSequence)
      log = log.filter(({ lastSequence }) => lastSequence > throughSequence)
    },
    apply(throughSequence) {
      for (let at = place(applied); at < log.length && log[at]!.lastSequence <= throughSequence; at++) {
        const { request, key, outcome, value } = decode(log[at]!.batch)
        rows.set(requestOf + request, outcome)
        if (outcome === 'mismatch') continue
        if (value === null) rows.delete(valueOf + key)
        else rows.set(valueOf + key, value)
      }
      applied = throughSequence
    },
    read(afterSequence) {
      if (afterSequence < start) return undefined
      const at = place(afterSequence)
      return log.slice(at, at + readMax)
    },
    snapshot: () => new Map(rows),
    load() {
      const { files, log: found } = disk()
      rows = new Map(files.rows)
      log = found.filter(({ lastSequence }) => lastSequence > files.through.sequence)
      applied = start = files.through.sequence
    },
    entries: () => log,
  }
}
