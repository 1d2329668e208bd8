/** The ranges of abstract-level: as the options give them, and what a seek leaves of them. */
import type { KeyRangeOptions } from '../engine/keyed/kv-codec.ts'
import { bytesOf } from './format.ts'
import type { Formatted } from './format.ts'

export interface LevelRange {
  readonly gt?: Formatted
  readonly gte?: Formatted
  readonly lt?: Formatted
  readonly lte?: Formatted
}

export interface ByteRange extends KeyRangeOptions {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
}

/** `gte` goes before `gt`, `lte` before `lt`, as abstract-level has it. */
export function byteRange({ gt, gte, lt, lte }: LevelRange): ByteRange {
  return { ...lowerBound(gte, gt), ...upperBound(lte, lt) }
}

function lowerBound(gte: Formatted | undefined, gt: Formatted | undefined): ByteRange {
  if (gte !== undefined) return { gte: bytesOf(gte) }
  return gt === undefined ? {} : { gt: bytesOf(gt) }
}

function upperBound(lte: Formatted | undefined, lt: Formatted | undefined): ByteRange {
  if (lte !== undefined) return { lte: bytesOf(lte) }
  return lt === undefined ? {} : { lt: bytesOf(lt) }
}

/** What comes from `target` on, in the direction of the iterator; undefined when the target lies outside of the range. */
export function rangeFrom(range: ByteRange, target: Uint8Array, reverse: boolean): ByteRange | undefined {
  const { gt, gte, lt, lte } = range
  const isBelow = (gte !== undefined && Buffer.compare(target, gte) < 0) || (gt !== undefined && Buffer.compare(target, gt) <= 0)
  const isAbove = (lte !== undefined && Buffer.compare(target, lte) > 0) || (lt !== undefined && Buffer.compare(target, lt) >= 0)
  if (isBelow || isAbove) return undefined
  if (reverse) return { ...lowerBound(gte, gt), lte: target }
  return { gte: target, ...upperBound(lte, lt) }
}
