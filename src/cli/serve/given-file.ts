/** Files that flags name, and variables that may stand for them. */
import { LsmtError } from '../../errors.ts'
import { readSmallFile } from '../../storage/small-file.ts'

const fileBytesMax = 1024 * 1024

/** 22023: a file that cannot be read is the flag's fault. */
export async function readNamed(flag: string, path: string): Promise<Buffer> {
  try {
    return await readSmallFile(path, fileBytesMax)
  } catch (error) {
    throw new LsmtError('22023', `${flag}: ${error instanceof Error ? error.message : String(error)}`, {}, error)
  }
}

/** To nothing is not set. */
export function isSet(variable: string | undefined): variable is string {
  return variable !== undefined && variable !== ''
}
