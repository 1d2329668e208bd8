/**
 * Messages in a stream of bytes, the last of which says how it ended: what breaks off without one is not whole. Never
 * change these numbers: another layout is another version of the handshake.
 *
 *   ┌ u32 bytes that follow │ u8 kind ┐
 *   data   │ …
 *   end    │ row groups, of these pruned, bytes read, requests to storage
 *   error  │ code │ message │ position, 0 none │ hint
 */
import { errorCodes, LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { ReadStats } from '../../../lsm/tree.ts'
import { violation } from '../../transport/frame/frame.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'

const messageNumbers = { data: 1, end: 2, error: 3 } as const
const headBytes = 5
/** One row may be as large as a statement. */
const messageBytesMax = 256 * 1024 * 1024
const textBytesMax = 64 * 1024
const codeBytesMax = 5

export type StreamEnd = { readonly kind: 'end'; readonly stats: ReadStats } | { readonly kind: 'error'; readonly error: LsmtError }

export function dataMessage(payload: Uint8Array): Uint8Array {
  return message('data', payload)
}

export function endMessage({ rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests }: ReadStats): Uint8Array {
  const writer = createByteWriter(64)
  for (const count of [rowGroupsTotal, rowGroupsPruned, bytesRead, storageRequests]) writer.count(count)
  return message('end', writer.done())
}

/** With what a failure of the transport leaves out: where in the statement it happened. */
export function errorMessage({ code, message: text, evidence: { position = 0, hint = '' } }: LsmtError): Uint8Array {
  const writer = createByteWriter(256)
  writer.text(code)
  writer.text(shortened(text))
  writer.count(position)
  writer.text(shortened(hint))
  return message('error', writer.done())
}

const shortened = (text: string): string => (Buffer.byteLength(text) > textBytesMax ? text.slice(0, textBytesMax / 4) : text)

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
  if (kind === messageNumbers.error) return { kind: 'error', error: readError(reader) }
  if (kind !== messageNumbers.end) throw reader.wrong('kind', `1 to ${messageNumbers.error}`, kind)
  const stats = { rowGroupsTotal: reader.count('row groups'), rowGroupsPruned: reader.count('row groups pruned'), bytesRead: reader.count('bytes read'), storageRequests: reader.count('requests to storage') }
  reader.end()
  return { kind: 'end', stats }
}

function readError(reader: ByteReader): LsmtError {
  const code = reader.text('code', codeBytesMax), text = reader.anyText('message', textBytesMax), position = reader.count('position'), hint = reader.anyText('hint', textBytesMax)
  reader.end()
  if (!isErrorCode(code)) throw reader.wrong('code', 'one that there is', code)
  return new LsmtError(code, text, { ...(position > 0 && { position }), ...(hint !== '' && { hint }) })
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)
