/** What scanning a statement has come to: the shape so far and the slots lifted out of it. */
import type { Slots, SlotValue } from '../slot.ts'
import type { Explain } from './explain.ts'
import type { Lexer } from './lexer.ts'

export interface ScannedStatement {
  readonly shape: string
  /** Code unit index of each token of the shape. */
  readonly tokenStarts: readonly number[]
  readonly slots: Slots
  /** Tuples after VALUES that the shape's first one stands for. `slots` has the values of the first one only. */
  readonly tupleCount: number
  /** Where all of them are known to be plain literals: where they stand in the text. */
  readonly tupleText: TextSpan | undefined
  /** They are only supposed to be, and how many there are is not known (supposed-text.ts). */
  readonly tuplesAreSupposed?: boolean
  /** Otherwise the slots of all, one tuple after the other; undefined when there is but one. */
  readonly tupleSlots: Slots | undefined
  /** Set when EXPLAIN stands before the statement. */
  readonly explain?: Explain
}

/** [start, end) in code units. */
export interface TextSpan {
  readonly start: number
  readonly end: number
}

export interface Scan {
  readonly lexer: Lexer
  /** Up to where tuples may be supposed to go on behind a first one. */
  readonly supposedEnd: number
  shape: string
  tokenStarts: number[]
  slots: Slots
  /** The last token, as the shape has it. */
  last: string
  /** While the tuples after the first one only add slots. */
  muted: boolean
  lifts: boolean
  /** Parentheses open. */
  depth: number
  /** Depth of the ORDER BY or GROUP BY list that is being scanned; -1 outside of one. */
  ordinalsDepth: number
  /** In the parentheses of a type. */
  inType: boolean
  inValues: boolean
  insert: boolean
  tupleCount: number
  tupleText: TextSpan | undefined
  tuplesAreSupposed: boolean
  tupleSlots: Slots | undefined
  /** `?` parameters so far, in the whole text. */
  positionalCount: number
  numberedSeen: boolean
  explain: Explain | undefined
}

export function newScan(lexer: Lexer, positionalCount: number, numberedSeen: boolean, supposedEnd = -1): Scan {
  return {
    lexer, supposedEnd, shape: '', tokenStarts: [], slots: { kinds: [], values: [], starts: [] }, last: '', muted: false, lifts: true, depth: 0, ordinalsDepth: -1, inType: false,
    inValues: false, insert: false, tupleCount: 1, tupleText: undefined, tuplesAreSupposed: false, tupleSlots: undefined, positionalCount, numberedSeen, explain: undefined,
  }
}

/** Adds a token to the shape. */
export function emit(scan: Scan, piece: string): void {
  scan.last = piece
  if (scan.muted) return
  scan.shape = scan.shape === '' ? piece : `${scan.shape} ${piece}`
  scan.tokenStarts.push(scan.lexer.start)
}

/** Adds a slot, and its mark to the shape. */
export function push(scan: Scan, kind: number, value: SlotValue, start = scan.lexer.start): true {
  const { kinds, values, starts } = scan.slots
  kinds.push(kind)
  values.push(value)
  starts.push(start)
  emit(scan, '?')
  if (!scan.muted) scan.tokenStarts[scan.tokenStarts.length - 1] = start
  return true
}
