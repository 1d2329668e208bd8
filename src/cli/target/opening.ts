import { LsmtError } from '../../errors.ts'

/** What storage says while a place is opened, a full disk included, is that it cannot be reached (exit code 3), not that an operation failed. */
export async function opening<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof LsmtError && (error.code === '58030' || error.code === '53100')) throw new LsmtError('08006', error.message, error.evidence, error)
    throw error
  }
}
