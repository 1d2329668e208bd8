/**
 * The descriptors of files that are open for reading: a database may have more files than a process may have
 * descriptors, so only those used last are kept, and a file is opened again when it is read after that. Its owner sees
 * to it that the file is not deleted before its reader is closed.
 */
import { closeSync, openSync } from 'node:fs'

export interface PooledFile {
  readonly path: string
  /** -1 = not open now. */
  descriptor: number
  /** Reads under way. */
  users: number
  isForgotten: boolean
}

export interface FilePool {
  add(path: string): PooledFile
  /** The file's descriptor, which stays open until `done`. Throws what opening throws. */
  use(file: PooledFile): number
  done(file: PooledFile): void
  /** Closes the file once no read is under way. */
  forget(file: PooledFile): void
  readonly openCount: number
}

export function createFilePool(openMax: number): FilePool {
  /** Open and not being read, the one used longest ago first. */
  const idle = new Set<PooledFile>()
  let openCount = 0

  const close = (file: PooledFile): void => {
    idle.delete(file)
    const { descriptor } = file
    file.descriptor = -1
    openCount--
    closeSync(descriptor)
  }
  const makeRoom = (): void => {
    for (const oldest of idle) {
      if (openCount < openMax) return
      close(oldest)
    }
  }
  return {
    add: (path) => ({ path, descriptor: -1, users: 0, isForgotten: false }),
    use(file) {
      if (file.descriptor < 0) {
        makeRoom()
        file.descriptor = openSync(file.path, 'r')
        openCount++
      }
      if (file.users++ === 0) idle.delete(file)
      return file.descriptor
    },
    done(file) {
      if (--file.users > 0) return
      if (file.isForgotten) close(file)
      else idle.add(file)
    },
    forget(file) {
      if (file.isForgotten) return
      file.isForgotten = true
      if (file.users === 0 && file.descriptor >= 0) close(file)
    },
    get openCount() { return openCount },
  }
}
