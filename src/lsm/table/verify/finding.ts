/** What verification finds: errors about a file, as data. */
import { LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'

/** One thing that is wrong with a file. */
export interface Finding {
  readonly code: ErrorCode
  readonly file: string
  readonly block: string
  readonly expected: string
  readonly actual: string
  readonly message: string
}

/** Runs one check; what it raises about the file becomes a finding and the answer is undefined. */
export type Check = <T>(run: () => T) => T | undefined

/** Codes that speak of the file or of reading it. */
const fileCodes: readonly ErrorCode[] = ['XX001', 'XX002', '58P01', '58030']

/** Raises errors that are no fault of the file. */
export function findingOf(file: string, error: unknown): Finding {
  if (!(error instanceof LsmtError) || !fileCodes.includes(error.code)) throw error
  const { block = 'file', expected = '', actual = '' } = error.evidence
  return { code: error.code, file, block, expected, actual, message: error.message }
}
