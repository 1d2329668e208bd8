/** Files of another replica as they come in: each is read once, in their order, and held against its sum at its end. */
import { createHash } from 'node:crypto'
import { corruption, invariant } from '../../../errors.ts'
import type { FetchedFiles } from '../../../lsm/replicated/replicated-tree.ts'
import { violation } from '../../transport/frame/frame.ts'
import { decodeFilesHead, headBytesMax, sumBytes } from './files-stream.ts'
import type { StreamBytes } from './stream-bytes.ts'

const pieceBytesMax = 256 * 1024

/** Reads the head. XX001 instead of the end of a file that is not what was sent. */
export async function receiveFiles(bytes: StreamBytes): Promise<FetchedFiles> {
  const lengthBytes = await bytes.exactly(4)
  const headBytes = new DataView(lengthBytes.buffer).getUint32(0, true)
  if (headBytes > headBytesMax) throw violation(`the head of a stream of files has ${headBytes} bytes`)
  const { through, stateBytes, files } = decodeFilesHead(await bytes.exactly(headBytes))
  const state = await bytes.exactly(stateBytes)
  let place = 0
  return {
    through,
    state,
    files,
    async *read(file) {
      invariant(files[place++] === file, 'files of a stream are read in their order')
      const sum = createHash('sha256')
      for (let left = file.byteLength; left > 0;) {
        const piece = await bytes.some(Math.min(left, pieceBytesMax))
        left -= piece.byteLength
        sum.update(piece)
        yield piece
      }
      const [expected, actual] = [hexOf(await bytes.exactly(sumBytes)), sum.digest('hex')]
      if (expected !== actual) throw corruption('file of another replica', { file: file.name, expected, actual })
    },
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
