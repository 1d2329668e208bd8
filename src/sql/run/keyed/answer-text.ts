/**
 * How a statement was answered, as JSON that is kept with what it wrote. The form is part of the database's format: a
 * later one needs another version.
 */
import type { EngineRow, EngineValue } from '../../../engine/engine.ts'
import { corruption, LsmtError } from '../../../errors.ts'
import type { ResultColumn } from '../../plan.ts'
import { newQueryStats } from '../../result.ts'
import type { StatementResult } from '../../result.ts'

/** A result whose rows are here. */
export interface KeptAnswer {
  readonly kind: StatementResult['kind']
  /** Of a write: rows changed. */
  readonly rowCount?: number
  /** Of a write within a transaction, and of its COMMIT. */
  readonly isPending?: true
  readonly isCommit?: true
  readonly columns?: readonly ResultColumn[]
  readonly rows?: readonly EngineRow[]
}

const formatVersion = 1

/** The text of one answer; `index` is the statement's place in its text. */
export function answerText(index: number, answer: KeptAnswer): string {
  return JSON.stringify({ index, ...answer, ...(answer.rows !== undefined && { rows: answer.rows.map((row) => row.map(kept)) }) })
}

export function joinAnswers(texts: Iterable<string>): string {
  return `{"version":${formatVersion},"answers":[${[...texts].join(',')}]}`
}

/** The texts of the answers by the place of their statements. XX002 for a form that this version cannot read. */
export function splitAnswers(joined: string): ReadonlyMap<number, string> {
  const { version, answers } = parsed(joined) as { readonly version?: unknown; readonly answers?: readonly { readonly index: number }[] }
  if (version !== formatVersion || !Array.isArray(answers)) throw new LsmtError('XX002', `the answer kept for an idempotency key is of format ${String(version)}; this version reads ${formatVersion}`)
  return new Map((answers as readonly { readonly index: number }[]).map((answer) => [answer.index, JSON.stringify(answer)]))
}

/** The result that a kept answer tells. */
export function resultOf(text: string): StatementResult {
  const { kind, rowCount = 0, isPending, isCommit, columns = [], rows = [] } = parsed(text) as KeptAnswer
  const given = rows.map((row) => row.map((value) => unkept(value as KeptValue)))
  switch (kind) {
    case 'rows':
      return { kind, columns, rows: given, stats: newQueryStats() }
    case 'write':
      return { kind, rowCount, columns, rows: given, ...(isPending && { isPending }) }
    case 'schema':
      return { kind }
    case 'transaction':
      return { kind, isCommit: isCommit === true }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw corruption('answer kept for an idempotency key', { expected: 'JSON', actual: text.slice(0, 100) })
  }
}

/** What JSON has no form for stands in an object of one field. */
type KeptValue = null | string | number | { readonly integer: string } | { readonly double: string } | { readonly bytes: string }

function kept(value: EngineValue): KeptValue {
  if (typeof value === 'bigint') return { integer: value.toString() }
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : { double: Object.is(value, -0) ? '-0' : String(value) }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') }
  return value
}

function unkept(value: KeptValue): EngineValue {
  if (typeof value !== 'object' || value === null) return value
  if ('integer' in value) return BigInt(value.integer)
  if ('double' in value) return Number(value.double)
  return Uint8Array.from(Buffer.from(value.bytes, 'base64'))
}
