/**
 * Narrowing of the parser's tree: its nodes are records of unknown things until looked at here. What is in a node
 * beyond what its reader knows is an error that names it, so that no clause is ever parsed and ignored.
 */
import { LsmtError } from '../../errors.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { ParserText, Part } from './cut/part.ts'
import type { Name } from './names.ts'

export type SyntaxNode = Readonly<Record<string, unknown>>

/** What a reader of nodes needs to name things and say where they are. */
export interface Reading {
  readonly origin: Origin
  /** The part that is being read. */
  readonly source: ParserText
  /** Names, by their tokens, slots and parts that were read: all of them must be. */
  readonly namesRead: Set<number>
  readonly slotsRead: Set<number>
  readonly partsRead: Set<Part>
  /** What the parser made of the parts. */
  readonly trees: ReadonlyMap<ParserText, SyntaxNode>
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text under a key; '' when there is none. */
export function textIn(node: SyntaxNode, key: string): string {
  const value = node[key]
  return typeof value === 'string' ? value : ''
}

export function nodes(value: unknown): readonly SyntaxNode[] {
  if (!Array.isArray(value) || !value.every(isNode)) throw new LsmtError('XX000', 'internal error: the parser gave no list where one was expected')
  return value
}

/** 0A000 unless everything else in the node is empty. */
export function only(reading: Reading, node: SyntaxNode, what: string, known: readonly string[]): void {
  for (const [key, value] of Object.entries(node)) {
    if (known.includes(key) || key === 'loc' || key === 'parentheses' || isEmpty(value)) continue
    throw unsupported(reading, node, `${key.replaceAll('_', ' ').toUpperCase()} in ${what}`)
  }
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true
  if (Array.isArray(value)) return value.length === 0
  return isNode(value) && Object.entries(value).every(([key, inner]) => isEmpty(inner) || (key === 'seperator' && inner === ''))
}

export function unsupported(reading: Reading, node: SyntaxNode, what: string): LsmtError {
  return errorAt(reading.origin, tokenIndexOf(reading, node), '0A000', `${what} is not supported`)
}

/** The first token that a node covers, as far as the tree tells. */
export function tokenIndexOf(reading: Reading, node: SyntaxNode): number {
  const { loc } = node
  if (!isNode(loc) || !isNode(loc['start']) || typeof loc['start']['offset'] !== 'number') return firstNameIn(reading, node)
  return tokenAt(reading.source, loc['start']['offset'])
}

function firstNameIn(reading: Reading, value: unknown): number {
  if (typeof value === 'string') return nameOf(reading, value)?.tokenIndex ?? partOf(reading, value)?.start ?? -1
  if (typeof value !== 'object' || value === null) return -1
  for (const inner of Object.values(value)) {
    const index = firstNameIn(reading, inner)
    if (index >= 0) return index
  }
  return -1
}

/** Index of the token at an offset of the parser's text; past the end it is the one after the part. */
export function tokenAt({ text, offsets, tokenIndexes, end }: ParserText, offset: number): number {
  if (offset >= text.length) return end
  return tokenIndexes[offsets.findLastIndex((start) => start <= offset)] ?? tokenIndexes[0] ?? end
}

function nameOf(reading: Reading, text: string): Name | undefined {
  const found = /^n(\d+)$/.exec(text)
  return found === null ? undefined : reading.source.names[Number(found[1])]
}

/** The part that the parser saw as the column or table "x<k>". */
export function partOf(reading: Reading, value: unknown): Part | undefined {
  if (typeof value === 'string') {
    const found = /^x(\d+)$/.exec(value)
    return found === null ? undefined : reading.source.parts[Number(found[1])]
  }
  if (!isNode(value) || value['type'] !== 'column_ref' || !isNode(value['column']) || !isNode(value['column']['expr'])) return undefined
  return partOf(reading, value['column']['expr']['value'])
}

export function takePart({ partsRead }: Reading, part: Part): void {
  if (partsRead.has(part)) throw new LsmtError('XX000', 'internal error: a part of the statement was read twice')
  partsRead.add(part)
}

/** A part's tree, with the reading that its placeholders belong to. */
export function openPart(reading: Reading, part: Part): { readonly node: SyntaxNode; readonly reading: Reading } {
  takePart(reading, part)
  return { node: reading.trees.get(part.source)!, reading: { ...reading, source: part.source } }
}

/** The name that the parser saw as "n<k>"; a keyword where a name should be is a 42601. */
export function readName(reading: Reading, value: unknown): Name {
  if (typeof value === 'string') {
    const name = nameOf(reading, value)
    if (name !== undefined) {
      reading.namesRead.add(name.tokenIndex)
      return name
    }
    const part = partOf(reading, value)
    if (part !== undefined) throw errorAt(reading.origin, part.start, '0A000', 'this expression is not supported here')
    throw new LsmtError('0A000', `${value.toUpperCase()} is not supported here`)
  }
  if (isNode(value) && typeof value['value'] === 'string') return readName(reading, value['value'])
  throw new LsmtError('XX000', 'internal error: the parser gave no name where one was expected')
}

export function readOptionalName(reading: Reading, value: unknown): Name | undefined {
  return value === null || value === undefined ? undefined : readName(reading, value)
}
