/** POST /import: a body of any size to rows of a table, as it arrives; the table's memory and disk tell how fast it is read. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { Canceller } from '../../sql/cancel.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { ImportOutcome, ImportRequest } from '../../sql/import/import-rows.ts'
import { importUnderKey } from '../../sql/import/keyed-import.ts'
import type { LineError } from '../../sql/import/source-record.ts'
import { errorAnswer } from '../error-answer.ts'
import { sendWhole } from '../format/whole-answer.ts'
import { gunzipped } from '../format/compression.ts'
import { jsonContentType } from '../format/json-format.ts'
import type { CommitKind } from '../format/result-format.ts'
import { coordinatorWaitMs, runAtCoordinator } from '../forward/at-coordinator.ts'
import type { ClusterRoute } from '../forward/cluster-route.ts'
import { drop } from '../guard/bodies.ts'
import { inTurn } from '../guard/gate.ts'
import type { Gate } from '../guard/gate.ts'
import { streamedBody } from '../guard/streamed-body.ts'
import type { Access } from '../guard/tokens.ts'
import type { Traffic } from '../observe/traffic.ts'
import { answerError } from '../query/query-route.ts'
import { NodeReply } from '../reply/node-reply.ts'
import { idempotencyKeyOf } from '../query/query-request.ts'
import { isGzip, readImportUrl } from './import-request.ts'
import type { AskedImport } from './import-request.ts'

export interface ImportRoute {
  readonly engine: Engine
  readonly clock: Clock
  readonly commit: CommitKind
  readonly cluster: ClusterRoute | undefined
  readonly gate: Gate
  readonly traffic: Traffic
  /** A client that sends no byte for so long is given up. */
  readonly bodyTimeoutMs: number
}

/** Of a body whose import was refused so much is read on, so that the client hears the answer. */
const refusedBytesMax = 256 * 1024 * 1024

export interface ArrivedImport {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly access: Access
  /** Whether the client sends its rows only when it is told that they are wanted. */
  readonly awaitsContinue: boolean
}

/** Never rejects: every failure is an answer or a cut connection. */
export async function answerImport(route: ImportRoute, arrived: ArrivedImport): Promise<void> {
  const { request, response } = arrived
  const canceller = new Canceller()
  const onClose = (): void => canceller.cancel(new LsmtError('57014', 'the client went away'))
  response.once('close', onClose)
  try {
    const asked = readAsked(arrived)
    if (route.cluster === undefined) await importHere(route, route.engine, asked, arrived, canceller)
    else await importInCluster(route, route.cluster, asked, arrived, canceller)
  } catch (error) {
    if (!request.complete) response.setHeader('connection', 'close')
    answerError(route, error, new NodeReply(response), undefined)
  } finally {
    response.off('close', onClose)
    drop(request, refusedBytesMax)
  }
}

function readAsked({ request, access }: ArrivedImport): AskedImport {
  const asked = readImportUrl(request.url ?? '', request.headers)
  if (access !== 'write') throw new LsmtError('42501', 'an import is not allowed to who may only read', { hint: 'use a token that may write' })
  return asked
}

/** The rows are read by the node that coordinates writes, and not before it is known. */
async function importInCluster(route: ImportRoute, { forwarding }: ClusterRoute, asked: AskedImport, arrived: ArrivedImport, signal: CancelSignal): Promise<void> {
  const { request, response } = arrived
  await runAtCoordinator(forwarding, {
    request,
    response,
    waitMsMax: coordinatorWaitMs,
    // Its rows come once.
    isRepeatable: false,
    body: { kind: 'streamed', begin: () => bodyOf(route, arrived) },
    here: async (engine) => {
      await importHere(route, engine, asked, arrived, signal)
      return { kind: 'answered' }
    },
  })
}

async function importHere(route: ImportRoute, engine: Engine, asked: AskedImport, arrived: ArrivedImport, signal: CancelSignal): Promise<void> {
  const { clock, gate } = route
  const { request, response } = arrived
  const startMs = clock.monotonicMs()
  const isCompressed = isGzip(request.headers)
  const body = bodyOf(route, arrived)
  const given: ImportRequest = { ...asked, source: isCompressed ? gunzipped(body) : body, clock, signal }
  let outcome: ImportOutcome | undefined
  await inTurn(gate, signal, async () => {
    outcome = await importUnderKey(engine, given, idempotencyKeyOf(request.headers))
  })
  if (outcome!.isWritten) answerWritten(route, outcome!, startMs, response)
  else answerRefused(outcome!, request, response)
}

function bodyOf({ bodyTimeoutMs }: ImportRoute, { request, response, awaitsContinue }: ArrivedImport): AsyncGenerator<Buffer> {
  if (awaitsContinue) response.writeContinue()
  return streamedBody(request, bodyTimeoutMs)
}

function answerWritten({ clock, commit }: ImportRoute, { rowsWritten, linesFailed, errors }: ImportOutcome, startMs: number, response: ServerResponse): void {
  const elapsedMs = Math.round((clock.monotonicMs() - startMs) * 1000) / 1000
  sendWhole(response, 200, jsonContentType, JSON.stringify({ rowCount: rowsWritten, skipped: linesFailed, errors: errors.map(toldError), commit, stats: { elapsedMs } }))
}

/** The status is that of the first line's error. */
function answerRefused({ linesFailed, errors }: ImportOutcome, request: IncomingMessage, response: ServerResponse): void {
  const [first] = errors
  const where = `line ${first!.line}${first!.column === undefined ? '' : `, column ${first!.column}`}`
  const { status, headers, body } = errorAnswer(new LsmtError(first!.code, `nothing was imported, ${linesFailed === 1 ? 'a line is' : `${linesFailed} lines are`} wrong: ${where}: ${first!.reason}`, { hint: 'onError=skip leaves out what is wrong' }))
  sendWhole(response, status, jsonContentType, JSON.stringify({ ...(JSON.parse(body) as object), linesFailed, errors: errors.map(toldError) }), { ...headers, ...(!request.complete && { connection: 'close' }) })
}

function toldError({ line, column, code, reason }: LineError): unknown {
  return { line, ...(column !== undefined && { column }), code, message: reason }
}
