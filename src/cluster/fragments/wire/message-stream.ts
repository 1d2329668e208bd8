/**
 * Messages in a stream of bytes, the last of which says how it ended: what breaks off without one is not whole. Never
 * change these numbers: another layout is another version of the handshake.
 *
 *   ┌ u32 bytes that follow │ u8 kind ┐
 *   data   │ …
 *   end    │ row groups, of these pruned, bytes read, requests to storage
 *   error  │ as errors.ts has it
 */
import type { LsmtError } from '../../../errors.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import { violation } from '../../transport/frame/frame.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import { readError, writeError } from './errors.ts'

const messageNumbers = { data: 1, end: 2, error: 3 } as const
const headBytes = 5
/** One row may be as large as a statement. */
const messageBytesMax = 256 * 1024 * 1024

export type StreamEnd = { readonly kind: 'end'; readonly stats: ReadStats } | { readonly kind: 'error'; readonly error: LsmtError }

export function dataMessage(payload: Uint8Array): Uint8Array {
  return message('data', payload)
}

export function endMessage({ rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests }: ReadStats): Uint8Array {
  const writer = createByteWriter(64)
  for (const count of [rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests]) writer.count(count)
  return message('end', writer.done())
}

export function errorMessage(error: LsmtError): Uint8Array {
  const writer = createByteWriter(256)
  writeError(writer, error)
  return message('error', writer.done())
}

function message(kind: keyof typeof messageNumbers, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(headBytes + payload.byteLength)
  bytes.writeUInt32LE(1 + payload.byteLength, 0)
  bytes[4] = messageNumbers[kind]
  bytes.set(payload, headBytes)
  return bytes
}

/** Payloads of data, then how it ended. Memory is taken as bytes come. 08P01 for what is no such stream, or ends too early. */
export async function* readMessages(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, StreamEnd, void> {
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let end: StreamEnd | undefined
  for await (const piece of pieces) {
    if (end !== undefined) throw violation(`${piece.byteLength} bytes after the end of a stream`)
    waiting.push(piece)
    waitingBytes += piece.byteLength
    for (let wanted = wantedBytes(waiting); waitingBytes >= wanted && end === undefined; wanted = wantedBytes(waiting)) {
      const bytes = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting)
      const kind = bytes[4]!, payload = bytes.subarray(headBytes, wanted)
      waitingBytes -= wanted
      waiting = waitingBytes === 0 ? [] : [bytes.subarray(wanted)]
      if (kind === messageNumbers.data) yield payload
      else end = readEnd(kind, payload)
    }
  }
  if (end === undefined || waitingBytes > 0) throw violation(`a stream that ended in the middle, with ${waitingBytes} bytes left`)
  return end
}

/** Of the next message with its head; more than there is while that is not known. */
function wantedBytes(waiting: Uint8Array[]): number {
  const first = waiting[0]
  if (first === undefined) return headBytes
  if (first.byteLength < headBytes && waiting.length > 1) waiting.splice(0, waiting.length, Buffer.concat(waiting))
  const head = waiting[0]!
  if (head.byteLength < headBytes) return Infinity
  const byteLength = new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true)
  if (byteLength < 1 || byteLength > messageBytesMax) throw violation(`a message of ${byteLength} bytes in a stream, where 1 to ${messageBytesMax} are allowed`)
  return 4 + byteLength
}

function readEnd(kind: number, payload: Uint8Array): StreamEnd {
  const reader = createByteReader(payload, 'the end of a stream')
  if (kind === messageNumbers.error) {
    const error = readError(reader)
    reader.end()
    return { kind: 'error', error }
  }
  if (kind !== messageNumbers.end) throw reader.wrong('kind', `1 to ${messageNumbers.error}`, kind)
  const stats = { rowGroupsTotal: reader.count('row groups'), rowGroupsPruned: reader.count('row groups pruned'), bytesRead: reader.count('bytes read'), storageRequests: reader.count('requests to storage') }
  reader.end()
  return { kind: 'end', stats }
}
