/**
 * Statements that differ in their literals only, known by what stands between these, character by character. One pass
 * over the text finds its numbers and 'texts' and hashes all else; a statement with the same pieces has the same shape,
 * and its literals are lifted as those of the one that was scanned were. No token is looked at, no shape put together.
 *
 * Anything that the pass would have to understand (quoted names, parameters, comments, other quotes, characters beyond
 * ASCII outside of texts) is left to the scanner, as is a statement whose literals did not all become slots.
 */
import { createGenerationCache } from '../shape-cache.ts'
import { slotKind } from '../slot.ts'
import type { Slots } from '../slot.ts'
import { digitsEnd, exponentEnd, isDigit, isWordPart, isWordStart } from './lexer.ts'
import { numberSlot } from './lift.ts'
import { plainText } from './literal.ts'
import type { ScannedStatement } from './scan-state.ts'
import { scanStatements } from './shape.ts'

export interface Skeletons {
  /** The statement of a text, when one with the same pieces was learnt; it is not scanned unless its `tokenStarts` are asked for. */
  read(text: string): ScannedStatement | undefined
  /** Takes the only statement of a text, scanned, to know others by. */
  learn(text: string, statement: ScannedStatement): void
}

interface Skeleton {
  readonly shape: string
  /** What stands before, between and behind the literals, all ASCII: bytes are compared faster than slices of a text. */
  readonly pieces: readonly Uint8Array[]
  readonly lifts: readonly Lift[]
  /** Of the statement that was learnt. */
  readonly slots: Slots
}

/** How a literal becomes a slot. */
interface Lift {
  /** That of a text; of a number it depends on its digits. */
  readonly textKind: number | undefined
  /** Characters from its minus sign to its first digit; 0 without one. */
  readonly signLength: number
}

/** Texts with more literals go the usual way, where many tuples are one. */
const literalsMax = 32

/** Literals of the text that was looked at last: their starts and ends, how many, and the hash of all else. */
interface Outline {
  readonly bounds: Int32Array
  count: number
  hash: number
}

export function createSkeletons(entriesMax: number): Skeletons {
  const known = createGenerationCache<Skeleton, number>(entriesMax)
  const outline: Outline = { bounds: new Int32Array(2 * literalsMax), count: 0, hash: 0 }
  return {
    read(text) {
      if (!outlineText(outline, text)) return undefined
      const skeleton = known.get(outline.hash)
      if (skeleton === undefined || !fits(skeleton, text, outline)) return undefined
      return new FamiliarStatement(text, skeleton.shape, liftAll(skeleton, text, outline))
    },
    learn(text, statement) {
      if (!outlineText(outline, text) || statement.tupleCount !== 1 || statement.explain !== undefined) return
      const lifts = liftsOf(text, statement.slots, outline)
      if (lifts !== undefined) known.set(outline.hash, { shape: statement.shape, pieces: piecesOf(text, outline), lifts, slots: statement.slots })
    },
  }
}

/** Only errors about its words ask where its tokens are. */
class FamiliarStatement implements ScannedStatement {
  readonly shape: string
  readonly slots: Slots
  readonly tupleCount = 1
  readonly tupleText = undefined
  readonly tupleSlots = undefined
  private readonly text: string

  constructor(text: string, shape: string, slots: Slots) {
    this.text = text
    this.shape = shape
    this.slots = slots
  }

  get tokenStarts(): readonly number[] {
    return scanStatements(this.text)[0]!.tokenStarts
  }
}

const singleQuote = 0x27

/** What a code unit means to the pass: one of a piece, perhaps the start of a comment or a second statement, of a literal, or not understood. */
const meaning = { piece: 0, perhaps: 1, digit: 2, quote: 3, other: 4 } as const
const meanings = Uint8Array.from({ length: 128 }, (_, unit) => {
  if (isDigit(unit)) return meaning.digit
  if (unit === singleQuote) return meaning.quote
  if ('-/;'.includes(String.fromCharCode(unit))) return meaning.perhaps
  return '"$:?'.includes(String.fromCharCode(unit)) ? meaning.other : meaning.piece
})

/** False for a text with anything that is not understood here. */
function outlineText(outline: Outline, text: string): boolean {
  const { length } = text
  let count = 0
  let hash = 0
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at)
    const found = unit < 128 ? meanings[unit]! : meaning.other
    if (found >= meaning.digit) {
      if (found === meaning.other) return false
      const isInWord = at > 0 && isWordPart(text.charCodeAt(at - 1))
      if (found === meaning.quote || !isInWord) {
        const end = isInWord || count === literalsMax ? -1 : literalEnd(text, at, unit)
        if (end < 0) return false
        outline.bounds[2 * count] = at
        outline.bounds[2 * count + 1] = end
        count++
        at = end - 1
      }
    } else if (found === meaning.perhaps && !isOfPiece(text, at, unit)) return false
    // By Daniel J. Bernstein; a literal counts by how it begins.
    hash = ((hash << 5) + hash + (found === meaning.digit ? 0x30 : unit)) | 0
  }
  outline.count = count
  outline.hash = hash
  return true
}

/** Not the start of a comment, or the end of one statement of several. */
function isOfPiece(text: string, at: number, unit: number): boolean {
  const next = text.charCodeAt(at + 1)
  return unit === 0x3b ? at === text.length - 1 : unit === 0x2d ? next !== 0x2d : next !== 0x2a
}

/** After the literal at `at`; -1 when it does not end, or another token begins in it. */
function literalEnd(text: string, at: number, unit: number): number {
  if (unit !== singleQuote) return numberEnd(text, at)
  let end = text.indexOf("'", at + 1)
  while (end >= 0 && text.charCodeAt(end + 1) === singleQuote) end = text.indexOf("'", end + 2)
  return end < 0 || isWordStart(text.charCodeAt(end + 1)) ? -1 : end + 1
}

function numberEnd(text: string, start: number): number {
  let at = digitsEnd(text, start)
  if (text.charCodeAt(at) === 0x2e) at = digitsEnd(text, at + 1)
  if ((text.charCodeAt(at) | 0x20) === 0x65) at = exponentEnd(text, at)
  return isWordPart(text.charCodeAt(at)) ? -1 : at
}

function fits({ pieces, lifts }: Skeleton, text: string, { bounds, count }: Outline): boolean {
  if (count !== lifts.length) return false
  let from = 0
  for (let i = 0; i < count; i++) {
    const start = bounds[2 * i]!
    if (start - from !== pieces[i]!.length || !isAt(text, from, pieces[i]!)) return false
    if ((text.charCodeAt(start) === singleQuote) !== (lifts[i]!.textKind !== undefined)) return false
    from = bounds[2 * i + 1]!
  }
  return text.length - from === pieces[count]!.length && isAt(text, from, pieces[count]!)
}

/** Faster than `startsWith` for pieces of this length. */
function isAt(text: string, from: number, piece: Uint8Array): boolean {
  for (let i = 0; i < piece.length; i++) if (text.charCodeAt(from + i) !== piece[i]) return false
  return true
}

/** Copies of the slots that were learnt have the right size at once; each value is then replaced. */
function liftAll({ lifts, slots }: Skeleton, text: string, { bounds }: Outline): Slots {
  const kinds = slots.kinds.slice(), values = slots.values.slice(), starts = slots.starts.slice()
  for (let i = 0; i < lifts.length; i++) {
    const { textKind, signLength } = lifts[i]!
    const start = bounds[2 * i]!, end = bounds[2 * i + 1]!
    const value = textKind === undefined ? numberSlot((signLength > 0 ? '-' : '') + text.slice(start, end)) : plainText(text, start, end)
    kinds[i] = textKind ?? (typeof value === 'number' ? slotKind.integer : slotKind.digits)
    values[i] = value
    starts[i] = start - signLength
  }
  return { kinds, values, starts }
}

function piecesOf(text: string, { bounds, count }: Outline): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let i = 0; i <= count; i++) pieces.push(new Uint8Array(Buffer.from(text.slice(i === 0 ? 0 : bounds[2 * i - 1], i === count ? text.length : bounds[2 * i]), 'latin1')))
  return pieces
}

const textKinds: ReadonlySet<number> = new Set([slotKind.text, slotKind.timestamp, slotKind.date])

/** Undefined unless the slots are the literals, one by one. */
function liftsOf(text: string, { kinds, starts }: Slots, { bounds, count }: Outline): readonly Lift[] | undefined {
  if (kinds.length !== count) return undefined
  const lifts: Lift[] = []
  for (let i = 0; i < count; i++) {
    const isText = text.charCodeAt(bounds[2 * i]!) === singleQuote
    const signLength = bounds[2 * i]! - starts[i]!
    if (isText !== textKinds.has(kinds[i]!) || signLength < 0) return undefined
    if (signLength > 0 && (isText || text.charCodeAt(starts[i]!) !== 0x2d)) return undefined
    lifts.push({ textKind: isText ? kinds[i]! : undefined, signLength })
  }
  return lifts
}
