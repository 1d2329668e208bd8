/** What the process ends with, by kind of outcome; never change these numbers: scripts know them. */
import { LsmtError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'

export const exitCode = {
  ok: 0,
  /** A statement or operation failed. */
  failed: 1,
  /** Flags, arguments or variables that cannot be. */
  usage: 2,
  /** The database or the server could not be reached or opened. */
  unreachable: 3,
  /** Stored data is damaged. */
  damaged: 4,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodesHelp = 'Exit codes: 0 done, 1 a statement or operation failed, 2 wrong usage, 3 cannot connect or open, 4 damage found.'

const byCode: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  '22023': exitCode.usage,
  // Of commands: a flag of what does not exist yet. What SQL does not support is told by the commands that run it.
  '0A000': exitCode.usage,
  '55006': exitCode.unreachable,
  '58P01': exitCode.unreachable,
  '08006': exitCode.unreachable,
  '28000': exitCode.unreachable,
  '57P03': exitCode.unreachable,
  XX001: exitCode.damaged,
  XX002: exitCode.unreachable,
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof LsmtError ? (byCode[error.code] ?? exitCode.failed) : exitCode.failed
}
