/** What a replica knows of statements over several shards: the parts and aborts in its log, and which parts may be seen here before they are seen in all their shards. */
import { abortsIn, partOf } from '../log/logged-parts.ts'
import type { LoggedPart, LoggedParts } from '../log/logged-parts.ts'
import type { ReplicatedEntry, VisiblePart } from './replicated-tree.ts'

export interface PartLedger {
  /** Takes an entry of the log, which it is part of until it is cut or flushed. */
  note(entry: ReplicatedEntry): void
  cut(toSequence: number): void
  flushed(throughSequence: number): void
  /** The part that an entry in the log is; undefined for others. */
  partAt(baseSequence: number): LoggedPart | undefined
  /** An abort record of it stands up to there. */
  isAborted(part: LoggedPart, throughSequence: number): boolean
  see(part: VisiblePart): void
  /** Whether the log was kept for what is settled now. */
  settle(throughSequence: number, flushedSequence: number): boolean
  readonly settledThrough: number
  /** As of now, which later ones do not change; oldest first. */
  visible(): readonly VisiblePart[]
  logged(flushedSequence: number): LoggedParts
}

export function createPartLedger(): PartLedger {
  const parts = new Map<number, LoggedPart>()
  /** By transaction: where its first abort record ends. */
  const aborts = new Map<string, number>()
  let visible: VisiblePart[] = []
  let settled = 0

  function forget(isGone: (sequence: number) => boolean): void {
    for (const sequence of parts.keys()) if (isGone(sequence)) parts.delete(sequence)
    for (const [id, sequence] of aborts) if (isGone(sequence)) aborts.delete(id)
  }

  return {
    note({ batch, baseSequence, lastSequence }) {
      const where = `the entry of sequence ${baseSequence}`
      const part = partOf(batch, where)
      if (part !== undefined) parts.set(baseSequence, part)
      for (const id of abortsIn(batch, where)) if (!aborts.has(id)) aborts.set(id, lastSequence)
    },
    cut: (toSequence) => forget((sequence) => sequence > toSequence),
    flushed: (throughSequence) => forget((sequence) => sequence <= throughSequence),
    partAt: (baseSequence) => parts.get(baseSequence),
    isAborted: ({ transactionId }, throughSequence) => (aborts.get(transactionId) ?? Infinity) <= throughSequence,
    see: (part) => void (part.baseSequence > settled && visible.push({ baseSequence: part.baseSequence, participants: part.participants })),
    settle(throughSequence, flushedSequence) {
      settled = Math.max(settled, throughSequence)
      const [oldest] = visible
      if (oldest === undefined || oldest.baseSequence > settled) return false
      visible = visible.filter(({ baseSequence }) => baseSequence > settled)
      return oldest.baseSequence <= flushedSequence
    },
    get settledThrough() { return settled },
    visible: () => [...visible],
    logged: (flushedSequence) => ({
      parts: [...parts.values()].filter(({ baseSequence }) => baseSequence > flushedSequence),
      aborted: new Set([...aborts].filter(([, sequence]) => sequence > flushedSequence).map(([id]) => id)),
    }),
  }
}
