/**
 * The closed set of errors lsmt raises. Codes are SQLSTATEs, chosen by what the
 * caller should do; `evidence` says what was seen, so that a report can be acted
 * on without a debugger.
 */

/** Every code lsmt can raise, with what it means. */
export const errorCodes = {
  '08006': 'no reachable replica',
  '08P01': 'more parameters than the statement has, or a node that broke the protocol between nodes',
  '0A000': 'valid, but not supported',
  '21000': 'a subquery gave more than one row, or a row would be changed twice by one statement',
  '22001': 'text too long for its column',
  '22003': 'number out of range',
  '22012': 'division by zero',
  '22021': 'text that is not Unicode',
  '22023': 'bad parameter, option or setting',
  '22P02': 'bad value for the type',
  '23502': 'null in a NOT NULL column',
  '23505': 'duplicate primary key',
  '25000': 'BEGIN without an end in the same text',
  '25001': 'BEGIN in a transaction',
  '25006': 'a write in a read-only transaction',
  '25P01': 'no transaction is open',
  '25P02': 'the transaction failed before',
  '28000': 'no or wrong token',
  '3B001': 'unknown savepoint',
  '40001': 'the table, or files that a snapshot needs, changed meanwhile: run the statement again',
  '40003': 'outcome unknown',
  '42501': 'not allowed',
  '42601': 'syntax error',
  '42701': 'duplicate column',
  '42702': 'ambiguous column',
  '42703': 'unknown column',
  '42712': 'a name that is given twice',
  '42803': 'column outside of GROUP BY, or aggregate where none may stand',
  '42804': 'type mismatch',
  '42846': 'no such cast',
  '42883': 'unknown function or operator',
  '42P01': 'unknown table',
  '42P07': 'table exists',
  '42P10': 'a column that the result does not have',
  '53100': 'disk full',
  '53200': 'out of memory budget',
  '53300': 'too many requests at once',
  '54000': 'body or statement too large',
  '55000': 'not in a state to do this (closed, read-only after a failed sync)',
  '55006': 'in use by another process',
  '57014': 'cancelled or timed out',
  '57P03': 'not ready',
  '58030': 'storage failed to read or write',
  '58P01': 'file not found',
  'XX000': 'internal error: a bug in lsmt',
  'XX001': 'stored data failed its checksum',
  'XX002': 'stored data has a format this version cannot read',
} as const

export type ErrorCode = keyof typeof errorCodes

/** What was seen and where. All fields are optional and plain data. */
export interface Evidence {
  readonly file?: string
  readonly block?: string
  readonly byteOffset?: number
  readonly expected?: string
  readonly actual?: string
  /** 1-based character position in the statement text. */
  readonly position?: number
  readonly hint?: string
}

/** The one error class of lsmt. */
export class LsmtError extends Error {
  override readonly name = 'LsmtError'
  readonly code: ErrorCode
  readonly evidence: Evidence

  constructor(code: ErrorCode, message: string, evidence: Evidence = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.evidence = evidence
  }
}

/** A stored block whose checksum does not match; names the file, the block and both sums. */
export function corruption(what: string, evidence: Evidence): LsmtError {
  const where = [evidence.file, evidence.block].filter(Boolean).join(', ')
  return new LsmtError('XX001', `corrupt ${what} in ${where}: expected ${evidence.expected ?? '?'}, found ${evidence.actual ?? '?'}`, evidence)
}

/** Raised where our own code broke its own promise; never for the world's faults. On hot paths the message is a function: a text with numbers costs more than most of what it guards. */
export function invariant(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new LsmtError('XX000', `internal error: ${typeof message === 'string' ? message : message()}`)
}
