/** Engine values out of a vector, from its first row on. What it points to may be void soon, so everything is copied out. */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { Vector } from '../../lsm/page.ts'
import type { EngineValue } from '../engine.ts'
import { readIntegers } from './read-page.ts'
import { copyBytes } from './read-row.ts'
import type { ReadKind } from './read-row.ts'
import type { TextReader } from './text-reader.ts'

export function readVector(memory: LinearMemory, texts: TextReader, kind: ReadKind, vector: Vector, count: number): readonly EngineValue[] {
  const { nulls } = vector
  // oxlint-disable-next-line unicorn/no-new-array -- a length is meant, and Array.from calls for each element
  const values = new Array<EngineValue>(count)
  if (vector.kind === 'bytes') {
    if (kind === 'text') texts.read(vector.refs, values)
    else readBytes(memory, vector.refs, values)
  }
  else if (vector.kind === 'i64') readIntegers(memory, vector.values, { rows: undefined, first: 0, count }, values, 0)
  else for (let i = 0; i < count; i++) values[i] = memory.f64[(vector.values >>> 3) + i]!
  if (nulls !== 0) for (let i = 0; i < count; i++) if ((memory.u8[nulls + (i >>> 3)]! & (1 << (i & 7))) !== 0) values[i] = null
  return values
}

function readBytes(memory: LinearMemory, refs: Pointer, values: EngineValue[]): void {
  for (let i = 0, ref = refs >>> 2; i < values.length; i++, ref += 2) values[i] = copyBytes(memory, memory.u32[ref]!, memory.u32[ref + 1]!)
}
