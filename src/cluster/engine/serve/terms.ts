/** Who coordinates writes: this node while it leads shard 0, term after term, or whoever else does. */
import type { Engine } from '../../../engine/engine.ts'
import { catalogShard } from '../../../engine/tables/catalog.ts'
import { LsmtError } from '../../../errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { sharedAbort } from '../../../runtime/end-signal.ts'
import type { Log } from '../../../runtime/log.ts'
import type { ClusterMembership } from '../../node/membership.ts'
import type { PeerReplica } from '../../replica/replica-options.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Changes } from './changes.ts'

/** Where statements that write run now. */
export type CoordinatorPlace =
  | { readonly kind: 'here'; readonly engine: Engine }
  /** `over` aborts when it does not coordinate any more. */
  | { readonly kind: 'there'; readonly node: string; readonly url: string; readonly over: AbortSignal }

export interface TermsOptions {
  readonly membership: ClusterMembership<PeerReplica>
  readonly changes: Changes
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  readonly begin: (epoch: number) => Coordinator
}

export interface Terms {
  /** That of this node, if it has one. */
  readonly current: Coordinator | undefined
  place(waitMs: number): Promise<CoordinatorPlace>
  /** Ends the term of this node; there is no other. */
  close(): Promise<void>
}

interface Elsewhere {
  readonly node: string
  readonly epoch: number
  readonly over: AbortController
}

interface TermsState {
  readonly options: TermsOptions
  current: Coordinator | undefined
  elsewhere: Elsewhere | undefined
  isClosed: boolean
}

export function createTerms(options: TermsOptions): Terms {
  const state: TermsState = { options, current: undefined, elsewhere: undefined, isClosed: false }
  options.changes.onChange(() => tend(state))
  tend(state)
  return {
    get current() { return state.current },
    place: (waitMs) => place(state, waitMs),
    async close() {
      state.isClosed = true
      state.elsewhere?.over.abort()
      await state.current?.end()
    },
  }
}

/** The epoch in which this node leads shard 0 and knows all that was committed there. */
function ledEpoch({ membership }: TermsOptions): number | undefined {
  const status = membership.replica(catalogShard)?.status()
  return status?.role === 'leader' && status.isReady ? status.epoch : undefined
}

function tend(state: TermsState): void {
  if (state.isClosed) return
  lookElsewhere(state)
  const { options, current } = state
  const epoch = ledEpoch(options)
  if (current !== undefined && current.epoch !== epoch) void current.end()
  else current?.look()
  if (state.current === undefined && epoch !== undefined) begin(state, epoch)
}

function begin(state: TermsState, epoch: number): void {
  const { log, begin: beginTerm, changes } = state.options
  const term = beginTerm(epoch)
  state.current = term
  log.info({ epoch }, `this node coordinates writes now (epoch ${epoch})`)
  term.over.addEventListener('abort', () => {
    if (state.current === term) state.current = undefined
    log.info({ epoch }, `this node does not coordinate writes any more (epoch ${epoch})`)
    // The next one, if there is one, begins when something has changed, so that what failed is not tried without a pause.
    changes.next().then(() => tend(state), () => {
      // None begins on a node that has stopped.
    })
  })
  term.ready.then(() => changes.tell(), (error: unknown) => {
    if (term.over.aborted) return
    log.error({ err: error, epoch }, 'writes cannot be coordinated here')
    void term.end()
  })
}

function lookElsewhere(state: TermsState): void {
  const { membership } = state.options
  const configuration = membership.configuration(catalogShard)?.configuration
  const node = configuration?.leader?.node
  if (state.elsewhere !== undefined && (state.elsewhere.node !== node || state.elsewhere.epoch !== configuration?.epoch)) {
    state.elsewhere.over.abort()
    state.elsewhere = undefined
  }
  if (configuration !== undefined && node !== undefined && node !== membership.self.node) state.elsewhere ??= { node, epoch: configuration.epoch, over: sharedAbort() }
}

async function place(state: TermsState, waitMs: number): Promise<CoordinatorPlace> {
  const { clock, changes } = state.options
  const endMs = clock.monotonicMs() + waitMs
  for (;;) {
    // What it knew is of before, and nothing will correct it.
    const known = state.isClosed ? undefined : knownPlace(state)
    if (known !== undefined) return known
    const leftMs = endMs - clock.monotonicMs()
    if (leftMs <= 0 || state.isClosed) throw new LsmtError('57P03', 'no node coordinates writes now', { hint: 'nothing was written: send it again in a moment' })
    await changes.next(leftMs)
  }
}

function knownPlace({ current, elsewhere, options: { membership } }: TermsState): CoordinatorPlace | undefined {
  if (current?.engine !== undefined) return { kind: 'here', engine: current.engine }
  const url = elsewhere && membership.addressOf(elsewhere.node)
  return elsewhere === undefined || url === undefined || current !== undefined ? undefined : { kind: 'there', node: elsewhere.node, url, over: elsewhere.over.signal }
}
