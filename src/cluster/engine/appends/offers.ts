/** What a writer asks of the leader that it has opened: to append what comes next, and to show what may be seen. */
import { committedThrough, visibleThrough } from './writer-state.ts'
import type { Entry, Session, WriterState } from './writer-state.ts'

/**
 * Of one shard, under way at a time; what comes meanwhile is joined. Each shard has offers of its own, since the answer of one
 * whose members are slow must not keep those of others; what goes to one node in a turn the channel sends together.
 */
const offersMax = 8, releasesMax = 4
const offerBytesMax = 2 * 1024 * 1024

/** `again` is called when there may be more to do. */
export function pump(state: WriterState, session: Session, again: () => void): void {
  if (session !== state.session) return
  while (session.offersUnderWay < offersMax && offerNext(state, session, again));
  releaseNext(state, session, again)
}

/** Gated batches and others go by different offers: the first are let through by the answers that the others wait for. */
function offerNext(state: WriterState, session: Session, again: () => void): boolean {
  const offered = nextOffer(state.entries, session.nextOffer)
  const [first, last] = [offered[0], offered.at(-1)]
  if (first === undefined || last === undefined) return false
  for (const entry of offered) entry.isOffered = true
  session.nextOffer = last.lastSequence + 1
  session.offersUnderWay++
  const offer = { baseSequence: first.baseSequence, batches: offered.map(({ batch }) => batch), until: first.isGated ? 'committed' : 'visible' } as const
  session.leader.append(state.options.coordinator, offer).then(({ copies }) => {
    session.offersUnderWay--
    session.hasWorked = true
    state.copies = copies
    committedThrough(state, last.lastSequence)
    if (!first.isGated) visibleThrough(state, last.lastSequence)
    again()
  }, () => endSession(state, session))
  return true
}

function nextOffer(entries: readonly Entry[], fromSequence: number): readonly Entry[] {
  const from = entries.findIndex(({ baseSequence }) => baseSequence >= fromSequence)
  const offered: Entry[] = []
  for (let at = from, byteLength = 0; at >= 0 && at < entries.length; at++) {
    const entry = entries[at]!
    byteLength += entry.batch.length
    if (offered.length > 0 && (entry.isGated !== offered[0]!.isGated || byteLength > offerBytesMax)) break
    offered.push(entry)
  }
  return offered
}

/**
 * What is settled goes with the next release. Where none is to come it goes by itself, since copies keep their log from
 * the first part on that is not known to be settled.
 */
function releaseNext(state: WriterState, session: Session, again: () => void): void {
  const { coordinator, settled, shard } = state.options
  const through = Math.max(releasableNow(state), session.releasedThrough), settledThrough = settled.through(shard)
  const isDue = through > session.releasedThrough || (settledThrough > session.settledThrough && !state.entries.some(({ isGated }) => isGated))
  if (!isDue || session.releasesUnderWay >= releasesMax) return settleBegun(state)
  session.releasedThrough = through
  session.settledThrough = settledThrough
  session.releasesUnderWay++
  session.leader.release(coordinator, through, settledThrough).then(() => {
    session.releasesUnderWay--
    session.hasWorked = true
    visibleThrough(state, through)
    settleBegun(state)
    again()
  }, () => endSession(state, session))
}

function settleBegun({ begun, releasable, visibleSequence, nextSequence }: WriterState): void {
  if (nextSequence > 0 && releasable === nextSequence - 1 && visibleSequence >= releasable) begun.resolve()
}

/** As far as everything is committed and may be seen: what stood there before is committed, and may be when all may. */
function releasableNow({ entries, releasable }: WriterState): number {
  let through = releasable
  for (const { baseSequence, lastSequence, isCommitted, mayBeSeen } of entries) {
    if (!isCommitted || !mayBeSeen) return Math.min(through, baseSequence - 1)
    through = Math.max(through, lastSequence)
  }
  return through
}

/** Its leader is to be found, or opened, anew. What was refused was not lost: it is offered again. */
export function endSession(state: WriterState, session: Session): void {
  if (state.session === session) state.session = undefined
  session.over.resolve()
}
