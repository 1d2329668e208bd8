/** Functions of bytes, and of texts as bytes. */
import { createHash } from 'node:crypto'
import { LsmtError } from '../../../errors.ts'
import { bigintType, integerType, textType } from '../type.ts'
import { anyOf, fixed } from './signature.ts'
import type { Builder } from './signature.ts'

const bytea = { kind: 'bytea' } as const

export const byteFunctions: Readonly<Record<string, Builder>> = {
  octet_length: anyOf(fixed([textType], integerType, (text) => Buffer.byteLength(text as string)), fixed([bytea], integerType, (bytes) => (bytes as Uint8Array).length)),
  bit_length: anyOf(fixed([textType], integerType, (text) => Buffer.byteLength(text as string) * 8), fixed([bytea], integerType, (bytes) => (bytes as Uint8Array).length * 8)),
  md5: anyOf(fixed([textType], textType, (text) => md5(Buffer.from(text as string))), fixed([bytea], textType, (bytes) => md5(bytes as Uint8Array))),
  sha256: fixed([bytea], bytea, (bytes) => new Uint8Array(createHash('sha256').update(bytes as Uint8Array).digest())),
  to_hex: anyOf(fixed([integerType], textType, (value) => ((value as number) >>> 0).toString(16)), fixed([bigintType], textType, (value) => BigInt.asUintN(64, BigInt(value as number | bigint)).toString(16))),
  encode: fixed([bytea, textType], textType, (bytes, form) => Buffer.from(bytes as Uint8Array).toString(encodingOf(form as string))),
  decode: fixed([textType, textType], bytea, (text, form) => decoded(text as string, encodingOf(form as string))),
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

function encodingOf(form: string): 'hex' | 'base64' {
  const lower = form.toLowerCase()
  if (lower !== 'hex' && lower !== 'base64') throw new LsmtError('22023', `there is no encoding "${form.slice(0, 60)}"`, { hint: "the encodings are 'hex' and 'base64'" })
  return lower
}

const patterns = { hex: /^(?:[0-9a-f]{2})*$/i, base64: /^[A-Za-z0-9+/]*={0,2}$/ }

/** White space between digits is passed over. */
function decoded(text: string, encoding: 'hex' | 'base64'): Uint8Array {
  const digits = text.replaceAll(/\s/g, '')
  if (!patterns[encoding].test(digits) || (encoding === 'base64' && digits.length % 4 !== 0)) throw new LsmtError('22P02', `"${text.slice(0, 60)}" is not ${encoding}`)
  return new Uint8Array(Buffer.from(digits, encoding))
}
