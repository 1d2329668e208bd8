/**
 * A text under an idempotency key. Each of its statements that writes, and each transaction, is one atomic unit together
 * with a record of how it was answered. When the text comes again, recorded statements are answered from the record and
 * the others run, which begins where the first time ended; statements that only read run every time.
 */
import type { Engine, EngineRequest, EngineRow, RecordingSession } from '../../../engine/engine.ts'
import type { RequestRecord } from '../../../engine/requests/request-record.ts'
import { LsmtError } from '../../../errors.ts'
import type { CancelSignal } from '../../cancel.ts'
import type { ResultColumn } from '../../plan.ts'
import { areRowsHere } from '../../result.ts'
import type { RowsResult, StatementResult } from '../../result.ts'
import { answerText, joinAnswers, resultOf, splitAnswers } from './answer-text.ts'
import type { KeptAnswer } from './answer-text.ts'
import { takeRequest } from './take-request.ts'

/** Of all answers of a text, in characters. */
export const answersLengthMax = 256 * 1024

/** Every unit writes the record anew. */
export const unitsMax = 1_000

/** A statement that writes by itself. */
export interface KeyedWrite {
  readonly kind: 'write' | 'schema'
  /** What RETURNING gives. */
  readonly columns: readonly ResultColumn[]
}

/** What a write is recorded by beside its session. */
export interface RecordedBy {
  /** Told before anything is written what RETURNING will give. */
  willReturn(rows: () => readonly EngineRow[]): void
  /** For writes of which the engine does not know how many rows they tell. */
  visible(rowCount: () => number): RecordingSession
}

export class KeyedText {
  private readonly request: EngineRequest
  private readonly fingerprint: Uint8Array
  /** Recorded, by place in the text. */
  private answers: ReadonlyMap<number, string>
  private unitCount: number
  /** Of the transaction that is open. */
  private pending = new Map<number, string>()
  private hasWritten = false

  private constructor(request: EngineRequest, fingerprint: Uint8Array) {
    this.request = request
    this.fingerprint = fingerprint
    this.unitCount = request.record?.progress ?? 0
    this.answers = request.record === undefined ? new Map() : splitAnswers(request.record.answer)
  }

  /** Waits until no other request has the key. 22023 when it was used for another request. */
  static async take(engine: Engine, key: string, fingerprint: Uint8Array, signal: CancelSignal | undefined): Promise<KeyedText> {
    const request = await takeRequest(engine, key, signal)
    try {
      const known = request.record?.fingerprint
      if (known !== undefined && Buffer.compare(known, fingerprint) !== 0) throw new LsmtError('22023', 'the idempotency key was used before for another request', { hint: 'a new request needs a new key; a request that is sent again must be the same in text and parameters' })
      return new KeyedText(request, fingerprint)
    } catch (error) {
      request.release()
      throw error
    }
  }

  /** How the statement was answered before; undefined when it is to be run. */
  answerTo(index: number): StatementResult | undefined {
    const known = this.answers.get(index)
    return known === undefined ? undefined : resultOf(known)
  }

  /** Runs a statement that writes by itself. */
  async write(index: number, { kind, columns }: KeyedWrite, run: (session: RecordingSession, by: RecordedBy) => Promise<StatementResult> | StatementResult): Promise<StatementResult> {
    let returned = (): readonly EngineRow[] => []
    const record = (rowCount: number): RequestRecord => this.recordWith([[index, answerText(index, kind === 'schema' ? { kind } : { kind, rowCount, ...(columns.length > 0 && { columns, rows: returned() }) })]])
    const sessions = [this.request.recording(record)]
    const visible = (rowCount: () => number): RecordingSession => {
      const session = this.request.recording(() => record(rowCount()))
      sessions.push(session)
      return session
    }
    const result = await run(sessions[0]!, { visible, willReturn: (rows) => void (returned = rows) })
    if (!sessions.some(({ isRecorded }) => isRecorded)) await this.request.write(record(0))
    this.unitCount++
    return result
  }

  /** What a transaction is begun with; its record is written by its COMMIT, the statement at `endIndex`. */
  transactionSession(endIndex: number): RecordingSession {
    this.pending = new Map()
    this.hasWritten = false
    return this.request.recording(() => this.recordWith([...this.pending, [endIndex, answerText(endIndex, { kind: 'transaction', isCommit: true })]]))
  }

  /** Keeps the answer of a statement within a transaction, its rows as they are read. */
  keep(index: number, result: StatementResult): StatementResult {
    if (result.kind === 'write') this.hasWritten = true
    if (result.kind !== 'rows' || areRowsHere(result.rows)) {
      this.pending.set(index, answerText(index, keptAnswer(result)))
      return result
    }
    return { ...result, rows: this.keptRows(index, result) }
  }

  /** To be called when a COMMIT is over: a transaction whose writes changed nothing wrote no record. */
  async committed(index: number, isRecorded: boolean): Promise<void> {
    if (!isRecorded && this.hasWritten) await this.request.write(this.recordWith([...this.pending, [index, answerText(index, { kind: 'transaction' })]]))
    this.unitCount++
  }

  release(): void {
    this.request.release()
  }

  private async *keptRows(index: number, { columns, rows }: RowsResult): AsyncGenerator<readonly EngineRow[]> {
    const kept: EngineRow[] = []
    let length = 0
    for await (const batch of rows as AsyncIterable<readonly EngineRow[]>) {
      for (const row of batch) length += answerText(index, { kind: 'rows', rows: [row] }).length
      if (length > answersLengthMax) throw tooLong()
      kept.push(...batch)
      yield batch
    }
    this.pending.set(index, answerText(index, { kind: 'rows', columns, rows: kept }))
  }

  private recordWith(more: readonly (readonly [index: number, text: string])[]): RequestRecord {
    if (this.unitCount >= unitsMax) throw new LsmtError('54000', `a text with an idempotency key may have at most ${unitsMax} statements that write outside of transactions`, { hint: 'put BEGIN before them and COMMIT behind them' })
    const answers = new Map([...this.answers, ...more])
    const answer = joinAnswers(answers.values())
    if (answer.length > answersLengthMax) throw tooLong()
    this.answers = answers
    return { fingerprint: this.fingerprint, progress: this.unitCount + 1, answer }
  }
}

function keptAnswer(result: StatementResult): KeptAnswer {
  switch (result.kind) {
    case 'rows':
      return { kind: 'rows', columns: result.columns, rows: result.rows as readonly EngineRow[] }
    case 'write':
      return { kind: 'write', rowCount: result.rowCount, ...(result.isPending && { isPending: true }), ...(result.columns.length > 0 && { columns: result.columns, rows: result.rows }) }
    case 'schema':
      return { kind: 'schema' }
    case 'transaction':
      return { kind: 'transaction', ...(result.isCommit && { isCommit: true }) }
  }
}

function tooLong(): LsmtError {
  return new LsmtError('54000', `the answer has more than ${answersLengthMax} characters, which is too long to be kept for an idempotency key`, { hint: 'return fewer rows, or leave queries out of the transaction' })
}
