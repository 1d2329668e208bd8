/** Files of the own replica for one that lacks what the log no longer has. */
import { createHash } from 'node:crypto'
import type { ExportedFiles } from '../../../lsm/replicated/replicated-tree.ts'
import { encodeFilesHead } from './files-stream.ts'

/** Held in memory at a time. */
const pieceBytes = 256 * 1024

/** Everything that was exported, in the layout of the stream. */
export async function* sendFiles({ through, state, files, read }: ExportedFiles): AsyncGenerator<Uint8Array, void, void> {
  yield encodeFilesHead({ through, stateBytes: state.byteLength, files })
  yield state
  for (const { name, byteLength } of files) {
    const sum = createHash('sha256')
    for (let at = 0; at < byteLength; at += pieceBytes) {
      const piece = await read(name, at, Math.min(pieceBytes, byteLength - at))
      sum.update(piece)
      yield piece
    }
    yield sum.digest()
  }
}
