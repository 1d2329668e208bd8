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
import { drop } from '../guard/bodies.ts'
import { inTurn } from '../guard/gate.ts'
import type { Gate } from '../guard/gate.ts'
import { streamedBody } from '../guard/streamed-body.ts'
import type { Access } from '../guard/tokens.ts'
import type { Traffic } from '../observe/traffic.ts'
import { answerError } from '../query/query-route.ts'
import { idempotencyKeyOf } from '../query/query-request.ts'
import { isGzip, readImportUrl } from './import-request.ts'

export interface ImportRoute {
  readonly engine: Engine
  readonly clock: Clock
  readonly commit: CommitKind
  readonly gate: Gate
  readonly traffic: Traffic
  /** A client that sends no byte for so long is given up. */
  readonly bodyTimeoutMs: number
}

/** Of a body whose import was refused so much is read on, so that the client hears the answer. */
const refusedBytesMax = 256 * 1024 * 1024

/** Never rejects: every failure is an answer or a cut connection. */
export async function answerImport(route: ImportRoute, request: IncomingMessage, response: ServerResponse, access: Access): Promise<void> {
  const canceller = new Canceller()
  const onClose = (): void => canceller.cancel(new LsmtError('57014', 'the client went away'))
  response.once('close', onClose)
  try {
    const startMs = route.clock.monotonicMs()
    const outcome = await runImport(route, request, access, canceller)
    if (outcome.isWritten) answerWritten(route, outcome, startMs, response)
    else answerRefused(outcome, request, response)
  } catch (error) {
    if (!request.complete) response.setHeader('connection', 'close')
    answerError(route, error, response, undefined)
  } finally {
    response.off('close', onClose)
    drop(request, refusedBytesMax)
  }
}

async function runImport({ engine, clock, gate, bodyTimeoutMs }: ImportRoute, request: IncomingMessage, access: Access, signal: CancelSignal): Promise<ImportOutcome> {
  const asked = readImportUrl(request.url ?? '', request.headers)
  if (access !== 'write') throw new LsmtError('42501', 'an import is not allowed to who may only read', { hint: 'use a token that may write' })
  const body = streamedBody(request, bodyTimeoutMs)
  const given: ImportRequest = { ...asked, source: isGzip(request.headers) ? gunzipped(body) : body, clock, signal }
  let outcome: ImportOutcome | undefined
  await inTurn(gate, signal, async () => {
    outcome = await importUnderKey(engine, given, idempotencyKeyOf(request.headers))
  })
  return outcome!
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
