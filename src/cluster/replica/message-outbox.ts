/**
 * Messages to the other replicas, gathered until everything that happens at once has happened: what one turn appends goes
 * to a peer as one message, and of several answers to a leader only the last says anything. Messages may be lost and may
 * come late, so it is as if those before had come together, or as if one that said nothing new had been lost.
 */
import type { AppendedMessage, PeerMessage } from '../replication/message.ts'
import type { LogEntry } from '../replication/state/log-state.ts'

export interface MessageOutbox {
  add(message: PeerMessage): void
}

interface Waiting {
  message: PeerMessage
  /** Of an append that has some; in place of those in the message. */
  readonly entries: LogEntry[]
  byteLength: number
}

/** Of a message that is put together: more is of no use, and what comes behind it would wait. */
const entriesMax = 1_000, batchBytesMax = 1024 * 1024

/** `quietMs`: for so long an answer is not given again that was just given. */
export function createMessageOutbox(clock: { monotonicMs(): number }, quietMs: number, send: (message: PeerMessage) => void): MessageOutbox {
  const waiting: Waiting[] = []
  let answered: AppendedMessage | undefined, answeredAtMs = 0

  /** Entries that are not on disk yet are answered twice otherwise, at once and when they are. */
  function isNews(message: AppendedMessage): boolean {
    const nowMs = clock.monotonicMs()
    const isRepeated = answered?.epoch === message.epoch && answered.matchSequence === message.matchSequence && answered.round === message.round && answered.to.store === message.to.store
    if (isRepeated && !message.isAsking && nowMs - answeredAtMs < quietMs) return false
    answered = message
    answeredAtMs = nowMs
    return true
  }

  function flush(): void {
    for (const { message, entries } of waiting.splice(0)) {
      if (message.kind === 'append') send({ ...message, entries })
      else if (message.kind !== 'appended' || isNews(message)) send(message)
    }
  }

  return {
    add(message) {
      if (waiting.length === 0) queueMicrotask(flush)
      const before = waiting.findLast(({ message: { to } }) => to.store === message.to.store)
      const added: Waiting = { message, entries: message.kind === 'append' ? [...message.entries] : [], byteLength: 0 }
      for (const { batch } of added.entries) added.byteLength += batch.byteLength
      if (before === undefined || !join(before, added)) waiting.push(added)
    },
  }
}

/** Makes both one message; false where that would say something else. */
function join(before: Waiting, { message, entries, byteLength }: Waiting): boolean {
  const { message: first } = before
  if (first.epoch !== message.epoch || first.to.node !== message.to.node) return false
  if (first.kind === 'appended' && message.kind === 'appended') {
    before.message = { ...message, isAsking: first.isAsking || message.isAsking }
    return true
  }
  const last = before.entries.at(-1), next = entries[0]
  const isNext = last !== undefined && next !== undefined && next.baseSequence === last.lastSequence + 1
  if (first.kind !== 'append' || message.kind !== 'append' || !isNext || before.entries.length >= entriesMax || before.byteLength + byteLength > batchBytesMax) return false
  before.message = { ...message, previous: first.previous }
  before.entries.push(...entries)
  before.byteLength += byteLength
  return true
}
