/**
 * VALUES text to operations of the statement's batches: a chunk of text after the other is scanned into columns, and
 * these are encoded for all shards. No row becomes a JavaScript object.
 */
import { valuesTextMargin } from '../../../kernel/values.ts'
import type { ValuesText } from '../../engine.ts'
import { scratchTextBytes, scratchTextUnits } from './column-scratch.ts'
import type { ColumnScratch } from './column-scratch.ts'
import { copyHashes, encodeChunk } from './encode-chunk.ts'
import type { ChunkStatement } from './encode-chunk.ts'
import { writePlan } from './values-plan.ts'
import type { ColumnPlan } from './values-plan.ts'

/** Adds all rows and returns the lock hashes of their keys; undefined when some text has to be read elsewhere, or is no tuples. */
export function addText(statement: ChunkStatement, values: ValuesText): Uint32Array | undefined {
  const plan = writePlan(statement.scratch, statement.access, values)
  if (plan === undefined) return undefined
  const hashes: Uint32Array[] = []
  let rows = 0
  for (let at = values.start; at < values.end; ) {
    const chunk = scanChunk(statement, plan, values, at, rows)
    if (chunk.rows === 0 || !settlePending(statement.scratch) || !encodeChunk(statement, plan, rows, chunk.rows)) return undefined
    hashes.push(hashesOf(statement.scratch, chunk.rows))
    rows += chunk.rows
    at += consumedUnits(statement.scratch, chunk)
  }
  return hashes.length === 1 ? hashes[0] : joined(hashes, rows)
}

function hashesOf(scratch: ColumnScratch, rows: number): Uint32Array {
  const hashes = new Uint32Array(rows)
  copyHashes(scratch, hashes, 0, rows)
  return hashes
}

function joined(parts: readonly Uint32Array[], length: number): Uint32Array {
  const whole = new Uint32Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

interface Chunk {
  readonly rows: number
  readonly piece: string
  /** Bytes that the piece has in UTF-8, or of it that were written. */
  readonly byteLength: number
  readonly consumedBytes: number
}

function scanChunk({ scratch }: ChunkStatement, { rowsMax }: ColumnPlan, { text, end }: ValuesText, from: number, rowsBefore: number): Chunk {
  const { memory, exports } = scratch.kernel
  const piece = text.slice(from, Math.min(end, from + scratchTextUnits))
  const byteLength = writePiece(scratch, piece)
  memory.u8.fill(0, scratch.text + byteLength, scratch.text + byteLength + valuesTextMargin)
  const rows = exports.valuesScan(scratch.text, byteLength, scratch.plan, rowsBefore, rowsMax, scratch.out)
  return { rows, piece, byteLength, consumedBytes: memory.u32[scratch.out >>> 2]! }
}

function writePiece({ kernel: { memory: { buffer } }, text }: ColumnScratch, piece: string): number {
  return (buffer as Buffer & { utf8Write(text: string, byteOffset: number, byteLength: number): number }).utf8Write(piece, text, scratchTextBytes)
}

/** Code units of the text that was scanned. Only ASCII has as many as bytes; literals may have changed in place, so all else is written anew. */
function consumedUnits(scratch: ColumnScratch, { piece, byteLength, consumedBytes }: Chunk): number {
  if (byteLength === piece.length) return consumedBytes
  writePiece(scratch, piece)
  return scratch.kernel.memory.buffer.toString('utf8', scratch.text, scratch.text + consumedBytes).length
}

/** Doubles that need all digits of their literals. False for infinity, which the column refuses. */
export function settlePending({ kernel: { memory }, plan, pending }: ColumnScratch): boolean {
  const { u32, buffer, view } = memory
  const count = u32[(plan + 48) >>> 2]!
  for (let i = 0; i < count; i++) {
    const cell = (pending + 16 * i) >>> 2
    const text = u32[cell + 1]!
    const value = Number(buffer.toString('latin1', text, text + u32[cell + 2]!))
    if (!Number.isFinite(value)) return false
    view.setFloat64(u32[cell]!, value, true)
  }
  return true
}
