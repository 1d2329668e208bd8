/**
 * What a node answers to others about the trees of its replicas: snapshots that they take and read, rows, scans,
 * aggregates. All that comes is checked before it reaches a tree; long reads give others their turn, and end when nobody
 * waits for them any more.
 */
import { LsmtError } from '../../../errors.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import { createPace } from '../../../runtime/pace.ts'
import type { QuestionContext, RequestHandler, StreamHandler } from '../../transport/call/services.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { dataMessage, endMessage, errorMessage } from '../wire/message-stream.ts'
import { methods, readIds, readSnapshotQuestions, readView, writeSnapshotOutcome } from '../wire/questions.ts'
import type { SnapshotAnswer, SnapshotQuestion } from '../wire/questions.ts'
import { answerRow, streamRows } from './answer-rows.ts'
import { applyOverlay } from './apply-overlay.ts'
import { firstRows, groupedRows, partials, scanPages } from './answer-scans.ts'
import type { Answer } from './answer-scans.ts'
import type { FragmentHost } from './fragment-host.ts'
import { HeldSnapshots } from './held-snapshots.ts'
import { openView, takeSnapshot } from './open-view.ts'

export interface FragmentService {
  /** For the transport. */
  readonly requests: Readonly<Record<string, RequestHandler>>
  readonly streams: Readonly<Record<string, StreamHandler>>
  /** Of other nodes, held here. */
  readonly snapshotCount: number
  /** Lets go of them. */
  close(): void
}

const idleLookMs = 30_000

interface Service {
  readonly host: FragmentHost
  readonly snapshots: HeldSnapshots
}

export function createFragmentService(host: FragmentHost): FragmentService {
  const snapshots = new HeldSnapshots(host.clock), service: Service = { host, snapshots }
  const timer = setInterval(() => snapshots.releaseIdle(), idleLookMs)
  timer.unref()
  return {
    requests: {
      [methods.snapshots]: (body, context) => takeSnapshots(service, body, context),
      [methods.release]: async (body, context) => {
        snapshots.release(context, readIds(createByteReader(body, 'ids of snapshots')))
        return new Uint8Array(0)
      },
      [methods.overlay]: async (body, context) => {
        applyOverlay(host, snapshots, body, context)
        return new Uint8Array(0)
      },
      [methods.row]: (body, context) => row(service, body, context),
    },
    streams: {
      [methods.rows]: streamOf(service, 'point reads', streamRows),
      [methods.scan]: streamOf(service, 'a scan', scanPages),
      [methods.aggregate]: streamOf(service, 'an aggregate', partials),
      [methods.group]: streamOf(service, 'a grouping', groupedRows),
      [methods.top]: streamOf(service, 'the first rows', firstRows),
    },
    get snapshotCount() {
      return snapshots.count
    },
    close() {
      clearInterval(timer)
      snapshots.close()
    },
  }
}

/** Of answers to several questions: whose does not fit is to be asked again. */
const snapshotBytesMax = 256 * 1024

async function takeSnapshots(service: Service, body: Uint8Array, context: QuestionContext): Promise<Uint8Array> {
  const questions = readSnapshotQuestions(createByteReader(body, 'snapshots'))
  const outcomes = await Promise.all(questions.map((question) => takeOne(service, question, context)))
  const writer = createByteWriter()
  outcomes.forEach((outcome, i) => {
    const isFull = writer.byteLength > snapshotBytesMax
    if (isFull) service.snapshots.release(context, [questions[i]!.id])
    writeSnapshotOutcome(writer, isFull ? new LsmtError('53300', 'too many snapshots are asked for at once') : outcome)
  })
  return writer.done()
}

/** What one fails with is told beside the others. */
async function takeOne({ host, snapshots }: Service, { shard, id, level, minSequence }: SnapshotQuestion, context: QuestionContext): Promise<SnapshotAnswer | LsmtError> {
  try {
    const { tree, snapshot, told } = await takeSnapshot(host, context, shard, level, minSequence)
    snapshots.hold(context, id, { shard, tree, snapshot, overlay: undefined })
    return told
  } catch (error) {
    if (error instanceof LsmtError) return error
    throw error
  }
}

async function row({ host, snapshots }: Service, body: Uint8Array, context: QuestionContext): Promise<Uint8Array> {
  const question = createByteReader(body, 'a point read')
  const view = await openView(host, snapshots, context, readView(question))
  try {
    return await answerRow({ host, view, stats: noStats(), pace: createPace(host.turns, context.signal, host.assertOpen) }, question)
  } finally {
    view.done()
  }
}

/** Messages, the last of which says how it ended. `what` names the question in errors. */
function streamOf({ host, snapshots }: Service, what: string, answer: Answer): StreamHandler {
  return async function* (body, context) {
    const stats = noStats()
    try {
      const question = createByteReader(body, what)
      const view = await openView(host, snapshots, context, readView(question))
      try {
        const pace = createPace(host.turns, context.signal, host.assertOpen)
        for await (const payload of answer({ host, view, stats, pace }, question)) yield dataMessage(payload)
      } finally {
        view.done()
      }
      yield endMessage(stats)
    } catch (error) {
      if (context.signal.aborted || !(error instanceof LsmtError)) throw error
      yield errorMessage(error)
    }
  }
}

const noStats = (): ReadStats => ({ rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 })
