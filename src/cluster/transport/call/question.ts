/**
 * Payloads of the frames that ask: a request or the opening of a stream, and of those that say why there is no answer.
 *
 *   request   │ method │ u32 milliseconds for the answer, from when it arrives │ bytes … │
 *   open      │ method │ u32 bytes that may be sent before there is credit     │ bytes … │
 *   failure   │ code, 5 characters │ message … │
 */
import { errorCodes, LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import { violation } from '../frame/frame.ts'
import type { Frame } from '../frame/frame.ts'
import { createByteReader } from '../wire/byte-reader.ts'
import { createByteWriter } from '../wire/byte-writer.ts'

export interface Question {
  readonly method: string
  /** Milliseconds of a request, bytes of a stream. */
  readonly limit: number
  readonly body: Uint8Array
}

const methodBytesMax = 64
const messageBytesMax = 8 * 1024
const codeBytes = 5
export const u32Max = 0xffff_ffff
/** The longest that a timer takes. */
export const timerMsMax = 0x7fff_ffff

export function encodeQuestion(method: string, limit: number, body: readonly Uint8Array[]): readonly Uint8Array[] {
  const writer = createByteWriter(64)
  writer.text(method)
  writer.u32(Math.max(0, Math.min(u32Max, Math.ceil(limit))))
  return [writer.done(), ...body]
}

export function decodeQuestion({ kind, payload }: Frame): Question {
  const reader = createByteReader(payload, `a frame (${kind})`)
  return { method: reader.text('method', methodBytesMax), limit: reader.u32('limit'), body: reader.rest() }
}

/** Code and message; evidence and cause stay where the error arose. */
export function encodeFailure({ code, message }: LsmtError): readonly Uint8Array[] {
  return [Buffer.from(code, 'latin1'), Buffer.from(message, 'utf8').subarray(0, messageBytesMax)]
}

export function decodeFailure({ payload }: Frame): LsmtError {
  if (payload.byteLength < codeBytes || payload.byteLength > codeBytes + messageBytesMax) throw violation(`a failure of ${payload.byteLength} bytes`)
  const code = Buffer.from(payload.subarray(0, codeBytes)).toString('latin1')
  const message = Buffer.from(payload.subarray(codeBytes)).toString('utf8')
  if (!isErrorCode(code)) throw violation(`a failure with code ${JSON.stringify(code)}, which there is not: ${message}`)
  return new LsmtError(code, message)
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)
