/**
 * Runs jobs on a worker thread over the shared linear memory, which starts with the first of them, or when they are expected: it
 * costs an opening more than all else, and who only reads needs none. A worker that dies fails the jobs it had; from then on
 * jobs run on the fallback, and the reason is told in the stats of every tree.
 */
import { Worker } from 'node:worker_threads'
import { LsmtError } from '../../errors.ts'
import { packageRoot } from '../../package-root.ts'
import { zeroCounts } from '../../storage/storage-counts.ts'
import type { KeptBlock, StorageCounts } from '../../storage/storage.ts'
import { jobAborted } from './job-environment.ts'
import type { Job, JobResult, JobRunner } from './job.ts'
import type { FromWorker, ToWorker, WorkerStart } from './worker-messages.ts'

export interface WorkerRunnerOptions extends WorkerStart {
  /** Takes over when the worker cannot be started, or dies. */
  readonly fallback: JobRunner
  /** Told of blocks that the worker brings to a cache on disk. */
  readonly onKept?: ((block: KeptBlock) => void) | undefined
}

/** Sources, which node cannot run, use the one that was built from them as well. */
const workerUrl = new URL('dist/compaction-worker.js', packageRoot)

interface RunningJob {
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: Error) => void
}

interface RunnerState {
  readonly options: WorkerRunnerOptions
  worker: Worker | undefined
  readonly running: Map<number, RunningJob>
  nextId: number
  isClosing: boolean
  /** Why the worker is gone. */
  death: string | undefined
  /** The worker's, as it told last. */
  counts: StorageCounts
}

export function createWorkerRunner(options: WorkerRunnerOptions): JobRunner {
  const state: RunnerState = { options, worker: undefined, running: new Map(), nextId: 1, isClosing: false, death: undefined, counts: zeroCounts() }
  return {
    run: (job, signal) => (state.death === undefined ? run(state, job, signal) : options.fallback.run(job, signal)),
    prepare: () => prepare(state),
    get fallback() { return state.death === undefined ? undefined : `background work runs on the serving thread, since its worker died: ${state.death}` },
    pinnedBytesMax: options.cacheBytesMax / 4,
    get ingestBytesMax() { return state.death === undefined ? options.region.byteLength / 4 : (options.fallback.ingestBytesMax ?? 0) },
    get storageCounts() { return state.counts },
    close: () => close(state),
  }
}

function startWorker(state: RunnerState): Worker {
  const { memory, region, kernelKind, cacheBytesMax, storageAddress } = state.options
  const workerData: WorkerStart = { memory, region, kernelKind, cacheBytesMax, storageAddress }
  const worker = new Worker(workerUrl, { workerData })
  worker.on('message', (message: FromWorker) => settle(state, message))
  worker.on('error', (error) => die(state, error instanceof Error ? error.message : String(error)))
  worker.on('exit', (exitCode) => die(state, `it exited with code ${exitCode}`))
  return worker
}

function prepare(state: RunnerState): void {
  if (state.worker !== undefined || state.death !== undefined || state.isClosing) return
  state.worker = startWorker(state)
  // As an idle one.
  state.worker.unref()
}

function run(state: RunnerState, job: Job, signal: AbortSignal): Promise<JobResult> {
  if (signal.aborted || state.isClosing) return Promise.reject(jobAborted())
  const { running } = state
  const worker = (state.worker ??= startWorker(state))
  const id = state.nextId++
  const abort = (): void => post(worker, { kind: 'abort', id })
  signal.addEventListener('abort', abort, { once: true })
  const outcome = new Promise<JobResult>((resolve, reject) => running.set(id, { resolve, reject }))
  worker.ref()
  post(worker, { kind: 'run', id, job })
  return outcome.finally(() => {
    signal.removeEventListener('abort', abort)
    running.delete(id)
    // An idle worker does not keep the process alive.
    if (running.size === 0) worker.unref()
  })
}

const post = (worker: Worker, message: ToWorker): void => worker.postMessage(message)

function settle(state: RunnerState, message: FromWorker): void {
  if (message.kind === 'kept') {
    state.options.onKept?.(message.block)
    return
  }
  const job = state.running.get(message.id)
  state.counts = message.counts
  if (message.kind === 'done') job?.resolve(message.result)
  else job?.reject(new LsmtError(message.error.code, message.error.message, message.error.evidence))
}

function die(state: RunnerState, reason: string): void {
  if (state.isClosing) return
  state.death ??= reason
  for (const { reject } of state.running.values()) reject(new LsmtError('XX000', `the background worker died: ${state.death}`))
}

/** Lets the worker stop what it does, and waits until it is gone. */
async function close(state: RunnerState): Promise<void> {
  const { worker, options } = state
  const wasClosing = state.isClosing
  state.isClosing = true
  if (worker !== undefined && state.death === undefined && !wasClosing) {
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    worker.ref()
    post(worker, { kind: 'close' })
    await gone
    for (const { reject } of state.running.values()) reject(jobAborted())
  }
  await options.fallback.close()
}
