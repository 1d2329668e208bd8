/**
 * The files of a replica as a stream to another one. Never change the layout: another one is another version of the
 * handshake.
 *
 *   question  │ shard │ store that is asked │ store that asks │
 *   answer    │ u32 bytes of the text │ text, JSON: { through, stateBytes, files: [name, bytes][] } │ state │
 *             │ then of each file: its bytes │ SHA-256 of them │
 */
import type { ExportedFile } from '../../../lsm/replicated/replicated-tree.ts'
import { violation } from '../../transport/frame/frame.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import type { LogEnd } from '../../replication/state/epochs.ts'

export const filesMethod = 'files'

export const sumBytes = 32

export interface FilesQuestion {
  readonly shard: number
  readonly store: string
  readonly forStore: string
}

export interface FilesHead {
  readonly through: LogEnd
  readonly stateBytes: number
  readonly files: readonly ExportedFile[]
}

const shardMax = 0xffff
const storeBytesMax = 128
export const headBytesMax = 64 * 1024 * 1024

export function encodeFilesQuestion({ shard, store, forStore }: FilesQuestion): Uint8Array {
  const writer = createByteWriter(64)
  writer.count(shard)
  writer.text(store)
  writer.text(forStore)
  return writer.done()
}

export function decodeFilesQuestion(body: Uint8Array): FilesQuestion {
  const reader = createByteReader(body, 'a question for files')
  const question = { shard: reader.count('shard', shardMax), store: reader.text('store that is asked', storeBytesMax), forStore: reader.text('store that asks', storeBytesMax) }
  reader.end()
  return question
}

export function encodeFilesHead({ through, stateBytes, files }: FilesHead): Uint8Array {
  const text = Buffer.from(JSON.stringify({ through, stateBytes, files: files.map(({ name, byteLength }) => [name, byteLength]) }))
  const writer = createByteWriter(4 + text.byteLength)
  writer.u32(text.byteLength)
  writer.bytes(text)
  return writer.done()
}

/** 08P01 for what is none. Names are for whoever writes the files to check. */
export function decodeFilesHead(text: Uint8Array): FilesHead {
  const fields = objectOf(parsed(text), 'an object')
  const { stateBytes, files } = fields
  const through = objectOf(fields['through'], 'a position')
  const { sequence, epoch } = through
  if (!isCount(sequence) || !isCount(epoch)) throw wrong('a position', through)
  if (!isCount(stateBytes) || stateBytes > headBytesMax) throw wrong('the bytes of a state', stateBytes)
  if (!Array.isArray(files)) throw wrong('files', files)
  return { through: { sequence, epoch }, stateBytes, files: files.map(fileOf) }
}

function fileOf(value: unknown): ExportedFile {
  const [name, byteLength] = Array.isArray(value) ? (value as readonly unknown[]) : []
  if (typeof name !== 'string' || name === '' || !isCount(byteLength)) throw wrong('a file with name and bytes', value)
  return { name, byteLength }
}

function parsed(text: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8'))
  } catch {
    throw violation('the head of a stream of files is no JSON')
  }
}

function objectOf(value: unknown, expected: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(expected, value)
  return value as Readonly<Record<string, unknown>>
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const wrong = (expected: string, actual: unknown): Error => violation(`the head of a stream of files: expected ${expected}, found ${String(JSON.stringify(actual)).slice(0, 200)}`)
