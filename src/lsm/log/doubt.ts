/**
 * What is done while storage cannot tell whether a write of the log stands. Everybody who waits for a commit is told so
 * (40003); the log finds out, by asking in the same way again. Until all that were told are durable and visible, or the log
 * has ended, no new statement is appended, and nobody passes the locks of those that were told: so none is ever seen
 * without what came before it.
 */
import { LsmtError } from '../../errors.ts'

export interface Doubt {
  /** Why nothing new is written now. */
  readonly refusal: LsmtError | undefined
  /** Settles as `committed` does, or with 40003 when doubt arises before. */
  watch(committed: Promise<void>): Promise<void>
  /** Runs at once, or when what is in doubt is decided. */
  afterwards(run: () => void): void
}

export interface DoubtfulLog extends Doubt {
  begin(cause: Error): void
  /** It is known what came of the write. */
  decided(): void
}

interface DoubtState {
  refusal: LsmtError | undefined
  /** How to tell who waits for a commit. */
  readonly watched: Set<(error: LsmtError) => void>
  /** Commits under way whose waiters were told. */
  told: number
  isDecided: boolean
  deferred: (() => void)[]
}

export function createDoubt(): DoubtfulLog {
  const state: DoubtState = { refusal: undefined, watched: new Set(), told: 0, isDecided: true, deferred: [] }
  return {
    get refusal() { return state.refusal },
    watch: (committed) => watch(state, committed),
    afterwards: (run) => void (state.refusal === undefined ? run() : state.deferred.push(run)),
    begin: (cause) => begin(state, cause),
    decided() {
      state.isDecided = true
      endWhenSettled(state)
    },
  }
}

function watch(state: DoubtState, committed: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    state.watched.add(reject)
    const settled = (): void => {
      if (state.watched.delete(reject)) return
      state.told--
      endWhenSettled(state)
    }
    committed.then(() => { settled(); resolve() }, (error: unknown) => { settled(); reject(error) })
  })
}

function begin(state: DoubtState, cause: Error): void {
  state.isDecided = false
  if (state.refusal !== undefined) return
  state.refusal = new LsmtError('57P03', 'nothing is written until it is known what came of an earlier write', { hint: 'nothing of this was written: send it again in a moment' }, cause)
  const hint = 'it is found out, and then seen or not: look then, or send the statement again under its idempotency key'
  const waiting = [...state.watched]
  state.watched.clear()
  state.told += waiting.length
  for (const reject of waiting) {
    reject(new LsmtError('40003', 'it is not known whether this was written: storage did not say', { hint }, cause))
  }
}

function endWhenSettled(state: DoubtState): void {
  if (!state.isDecided || state.told > 0 || state.refusal === undefined) return
  state.refusal = undefined
  for (const run of state.deferred.splice(0)) run()
}
