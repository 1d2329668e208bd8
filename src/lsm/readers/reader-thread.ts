/**
 * A reader thread as the serving thread sees it: it takes part in one scan at a time. A message to it takes some 20 µs
 * to be seen, in which a scan may be over; so it joins by a word in linear memory, which a scan that ends first takes back.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { LsmtError } from '../../errors.ts'
import { packageRoot } from '../../package-root.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import { changesSoon } from './morsel-queue.ts'
import type { ReaderOutcome, ReaderPart, ReaderStart, SharedScan, ToReader } from './reader-messages.ts'

/** A reader's part in one scan. */
export interface Participation {
  /** Set once it failed, or died. */
  readonly failure: Error | undefined
  /** After the scan's queue has ended: its part, once it touches no chunk any more; undefined when it never joined. Rejects with `failure`. */
  leave(): Promise<ReaderPart | undefined>
  /** The reader may use the part's memory again. */
  free(): void
}

export interface ReaderThread {
  readonly isReady: boolean
  /** It can be invited. */
  readonly isFree: boolean
  /** Why it is gone, or why it did not take part in a scan, the last time that it could not. */
  readonly trouble: string | undefined
  /** Row groups it has processed in scans that ended well. */
  readonly rowGroups: number
  invite(scan: SharedScan): Participation
  /** Waits until it is gone. */
  close(): Promise<void>
}

/** Sources, which node cannot run, use the one that was built from them as well. */
const readerUrl = new URL('dist/reader-worker.js', packageRoot)

interface Invited {
  readonly id: number
  failure: Error | undefined
  settle(outcome: ReaderPart | Error): void
}

interface ThreadState {
  readonly kernel: Kernel
  readonly worker: Worker
  readonly invitation: number
  readonly outcomes: MessagePort
  hasStarted: boolean
  isClosing: boolean
  invited: Invited | undefined
  lastId: number
  death: string | undefined
  trouble: string | undefined
  rowGroups: number
}

const idMax = 2 ** 30

/** Starts it; it is free some 50 ms later. */
export function startReaderThread(kernel: Kernel, region: HeapRegion): ReaderThread {
  const invitation = kernel.heap.allocate(4)
  kernel.memory.i32[invitation >>> 2] = 0
  const { port1: outcomes, port2 } = new MessageChannel()
  const workerData: ReaderStart = { memory: kernel.memory.wasm, region, kernelKind: kernel.kind, invitation, outcomes: port2 }
  const worker = new Worker(readerUrl, { workerData, transferList: [port2] })
  const state: ThreadState = { kernel, worker, invitation, outcomes, hasStarted: false, isClosing: false, invited: undefined, lastId: 0, death: undefined, trouble: undefined, rowGroups: 0 }
  worker.on('message', () => (state.hasStarted = true))
  outcomes.on('message', (outcome: ReaderOutcome) => receive(state, outcome))
  // Only a scan that waits for it keeps the process alive.
  worker.unref()
  outcomes.unref()
  worker.on('error', (error) => die(state, error instanceof Error ? error.message : String(error)))
  worker.on('exit', (exitCode) => die(state, `it exited with code ${exitCode}`))
  return {
    get isReady() { return isReady(state) },
    get isFree() { return isReady(state) && state.invited === undefined },
    get trouble() { return state.death === undefined ? state.trouble : `a reader thread died: ${state.death}` },
    get rowGroups() { return state.rowGroups },
    invite: (scan) => invite(state, scan),
    close: () => close(state),
  }
}

const isReady = ({ hasStarted, death, isClosing }: ThreadState): boolean => hasStarted && death === undefined && !isClosing

const post = ({ worker }: ThreadState, message: ToReader): void => worker.postMessage(message)

function receive(state: ThreadState, outcome: ReaderOutcome): void {
  const { invited } = state
  if (outcome.kind === 'declined') {
    state.trouble = `a reader thread could not take part: ${outcome.reason}`
    return
  }
  if (invited?.id !== outcome.id) return
  if (outcome.kind === 'failed') invited.settle(new LsmtError('XX000', `a reader thread failed: ${outcome.reason}`))
  else {
    state.rowGroups += outcome.rowGroups
    invited.settle(outcome.part)
  }
}

/** What a reader does last is one row group: its outcome is waited for so many looks, some 0.2 ms, before others have their turn. */
const looksMax = 16_384

/** Takes the outcome of a reader that is about to be done. */
function receiveSoon(state: ThreadState, id: number): void {
  const { kernel: { memory: { i32 } }, outcomes, invitation } = state
  if (!changesSoon(i32, invitation >>> 2, -id, looksMax)) return
  const received: { readonly message: ReaderOutcome } | undefined = receiveMessageOnPort(outcomes)
  if (received !== undefined) receive(state, received.message)
}

function invite(state: ThreadState, scan: SharedScan): Participation {
  const { kernel: { memory: { i32 } }, worker, outcomes, invitation } = state
  const id = (state.lastId = (state.lastId % idMax) + 1)
  let settle!: Invited['settle']
  const settled = new Promise<ReaderPart | Error>((resolve) => (settle = resolve))
  const invited: Invited = {
    id,
    failure: undefined,
    settle(result) {
      if (result instanceof Error) invited.failure = result
      settle(result)
    },
  }
  let neverJoined = false
  state.invited = invited
  worker.ref()
  outcomes.ref()
  Atomics.store(i32, invitation >>> 2, id)
  post(state, { kind: 'scan', id, scan })
  return {
    get failure() { return invited.failure },
    async leave() {
      neverJoined ||= Atomics.compareExchange(i32, invitation >>> 2, id, 0) === id
      if (neverJoined) return undefined
      receiveSoon(state, id)
      const result = await settled
      if (result instanceof Error) throw result
      return result
    },
    free() {
      worker.unref()
      outcomes.unref()
      state.invited = undefined
    },
  }
}

function die(state: ThreadState, reason: string): void {
  if (state.isClosing) return
  state.death ??= reason
  state.invited?.settle(new LsmtError('XX000', `a reader thread died: ${state.death}`))
}

async function close(state: ThreadState): Promise<void> {
  const { worker, kernel, invitation } = state
  if (state.isClosing) return
  state.isClosing = true
  if (state.death === undefined) {
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    post(state, { kind: 'close' })
    await gone
  }
  state.invited?.settle(new LsmtError('55000', 'the reader thread was closed'))
  state.outcomes.close()
  kernel.heap.free(invitation)
}
