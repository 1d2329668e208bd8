/**
 * An error as whoever asked is told of it, with what a failure of the transport leaves out: where in the statement it
 * happened. Never change this: another layout is another version of the handshake.
 *
 *   code │ message │ position, 0 none │ hint
 */
import { errorCodes, LsmtError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'

const textBytesMax = 64 * 1024
const codeBytesMax = 5

export function writeError(writer: ByteWriter, { code, message, evidence: { position = 0, hint = '' } }: LsmtError): void {
  writer.text(code)
  writer.text(shortened(message))
  writer.count(position)
  writer.text(shortened(hint))
}

const shortened = (text: string): string => (Buffer.byteLength(text) > textBytesMax ? text.slice(0, textBytesMax / 4) : text)

export function readError(reader: ByteReader): LsmtError {
  const code = reader.text('code', codeBytesMax), text = reader.anyText('message', textBytesMax), position = reader.count('position'), hint = reader.anyText('hint', textBytesMax)
  if (!isErrorCode(code)) throw reader.wrong('code', 'one that there is', code)
  return new LsmtError(code, text, { ...(position > 0 && { position }), ...(hint !== '' && { hint }) })
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)
