/**
 * Errors as answers: `{"error":{"code","message","position","hint"}}` and the HTTP status that fits the SQLSTATE.
 * What only the operator should know (our own bugs, file paths of a failing disk) stays out of the answer.
 */
import { LsmtError, errorCodes } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  '28000': 401,
  '42501': 403,
  '23505': 409,
  '54000': 413,
  '57014': 408,
  '53200': 429,
  '53300': 429,
  '53100': 503,
  '57P03': 503,
  '08006': 503,
  '40001': 503,
  '40003': 503,
  '55000': 503,
  '55006': 503,
  '58030': 500,
  '58P01': 500,
  XX000: 500,
  XX001: 500,
  XX002: 500,
}

const retried: ReadonlySet<ErrorCode> = new Set(['40001', '53200', '53300', '53100', '57P03', '08006'])

/** Codes whose messages may name files outside of the data directory, or be anything at all, and what is told instead. */
const told: Readonly<Partial<Record<ErrorCode, string>>> = {
  XX000: errorCodes.XX000,
  '58030': errorCodes['58030'],
  '58P01': errorCodes['58P01'],
  '53100': 'the disk is full: reads go on, writes are taken again when there is room',
}

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether the operator should hear of it. */
  readonly isServerFault: boolean
}

export function errorAnswer(error: unknown): ErrorAnswer {
  const known = error instanceof LsmtError ? error : new LsmtError('XX000', 'internal error', {}, error)
  const { code, evidence } = known
  const message = told[code] ?? known.message
  const { position, hint } = evidence
  const body = JSON.stringify({ error: { code, message, ...(position === undefined ? {} : { position }), ...(hint === undefined ? {} : { hint }) } })
  const status = statuses[code] ?? 400
  return { status, headers: headersOf(code, status), body, isServerFault: status === 500 || code === '40003' }
}

/** `Retry-After` in seconds where trying again makes sense; after a body that was too large, what is left of it is not read. */
function headersOf(code: ErrorCode, status: number): Readonly<Record<string, string>> {
  if (retried.has(code)) return { 'retry-after': '1' }
  switch (status) {
    case 401:
      return { 'www-authenticate': 'Bearer realm="lsmt"' }
    case 413:
      return { connection: 'close' }
    default:
      return {}
  }
}
