/** Tries once for the lock of the directory given, says how it went, and stays until killed. */
import { LsmtError } from '../../src/errors.ts'
import { lockDirectory } from '../../src/storage/directory-lock.ts'

setInterval(() => {}, 1000)
try {
  await lockDirectory(process.argv[2]!)
  console.log('locked')
} catch (error) {
  console.log(error instanceof LsmtError ? error.code : String(error))
}
