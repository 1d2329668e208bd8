/**
 * Imports under idempotency keys. All or nothing, the record is written with what makes the rows visible. With 'skip',
 * every batch brings a record of how far the import is, and one that comes again goes on behind it. The bytes are part of
 * what is compared: whoever sends an import again sends all of it.
 */
import { createHash } from 'node:crypto'
import type { Engine, EngineRequest } from '../../engine/engine.ts'
import type { RequestRecord } from '../../engine/requests/request-record.ts'
import { corruption, LsmtError } from '../../errors.ts'
import { checkCancelled } from '../cancel.ts'
import { takeRequest } from '../run/keyed/take-request.ts'
import { importRows } from './import-rows.ts'
import type { ImportOutcome, ImportRequest, ImportState } from './import-rows.ts'
import { anotherRequest, verifiedSource } from './verified-source.ts'
import type { SourcePlace, VerifiedSource } from './verified-source.ts'

/** The kept form is part of the database's format. */
const formatVersion = 1

/** How far an import is, as it is kept. */
interface KeptImport extends SourcePlace {
  readonly version: number
  readonly isDone: boolean
  readonly state: ImportState
}

/** As `importRows`; an import that was made before under the key, if there is one, is answered again. 22023 when it was another import. */
export async function importUnderKey(engine: Engine, given: ImportRequest, key: string | undefined): Promise<ImportOutcome> {
  if (key === undefined) return await importRows(engine, given)
  const request = await takeRequest(engine, key, given.signal)
  try {
    const fingerprint = optionsSum(given)
    const { record } = request
    if (record !== undefined && Buffer.compare(record.fingerprint, fingerprint) !== 0) throw anotherRequest()
    const kept = record === undefined ? undefined : keptImport(record.answer)
    const source = verifiedSource(given.source, kept)
    return kept?.isDone === true ? await answeredBefore(source, kept, given) : await importRecorded(engine, request, { given, fingerprint, source, resumed: kept?.state })
  } finally {
    request.release()
  }
}

/** All but the bytes. */
function optionsSum({ table, format, csv = {}, onError, onConflict }: ImportRequest): Uint8Array {
  const { columns, delimiter, header } = csv
  return createHash('sha256').update(JSON.stringify(['import', table, format, columns ?? null, delimiter ?? null, header ?? null, onError, onConflict ?? null])).digest()
}

function keptImport(answer: string): KeptImport {
  let kept: Partial<KeptImport>
  try {
    kept = JSON.parse(answer) as Partial<KeptImport>
  } catch {
    throw corruption('import kept for an idempotency key', { expected: 'JSON', actual: answer.slice(0, 100) })
  }
  if (kept.version !== formatVersion) throw new LsmtError('XX002', `the import kept for an idempotency key is of format ${String(kept.version)}; this version reads ${formatVersion}`)
  return kept as KeptImport
}

/** Once all bytes have turned out to be the same. */
async function answeredBefore(source: VerifiedSource, kept: KeptImport, { signal }: ImportRequest): Promise<ImportOutcome> {
  for await (const _ of source.bytes) checkCancelled(signal)
  const { bytesRead, sum } = source.place()
  if (bytesRead !== kept.bytesRead || sum !== kept.sum) throw anotherRequest()
  const { lineReached: _, ...outcome } = kept.state
  return outcome
}

interface Recorded {
  readonly given: ImportRequest
  readonly fingerprint: Uint8Array
  readonly source: VerifiedSource
  readonly resumed: ImportState | undefined
}

async function importRecorded(engine: Engine, request: EngineRequest, { given, fingerprint, source, resumed }: Recorded): Promise<ImportOutcome> {
  const isWhole = given.onError === 'stop'
  let progress = request.record?.progress ?? 0
  const recordOf = (state: ImportState, isDone: boolean): RequestRecord => ({ fingerprint, progress: ++progress, answer: JSON.stringify({ version: formatVersion, isDone, state, ...source.place() } satisfies KeptImport) })
  let last: ReturnType<EngineRequest['recording']> | undefined
  const recording: ImportRequest['recording'] = (stateAfter) => (last = request.recording((rowCount) => recordOf(stateAfter(rowCount), isWhole)))
  const outcome = await importRows(engine, { ...given, source: source.bytes, recording, ...(resumed !== undefined && { resumed }) })
  // What is done without a record: rows that were written as they came, or none at all.
  if (outcome.isWritten && !(isWhole && last?.isRecorded === true)) await request.write(recordOf({ ...outcome, lineReached: 0 }, true))
  return outcome
}
