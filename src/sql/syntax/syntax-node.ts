/**
 * Narrowing of the parser's tree: its nodes are records of unknown things until looked at here. What is in a node
 * beyond what its reader knows is an error that names it, so that no clause is ever parsed and ignored.
 */
import { LsmtError } from '../../errors.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { Name, ParserText } from './names.ts'

export type SyntaxNode = Readonly<Record<string, unknown>>

/** What a reader of nodes needs to name things and say where they are. */
export interface Reading {
  readonly origin: Origin
  readonly source: ParserText
  /** What the index of a slot among the shape's becomes in operands. */
  readonly slotShift: number
  /** How often each name and slot was read; everything must be read once. */
  readonly namesRead: Set<number>
  readonly slotsRead: Set<number>
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
  if (typeof value === 'string') return nameOf(reading, value)?.tokenIndex ?? -1
  if (typeof value !== 'object' || value === null) return -1
  for (const inner of Object.values(value)) {
    const index = firstNameIn(reading, inner)
    if (index >= 0) return index
  }
  return -1
}

/** Index of the token at an offset of the parser's text; past the end it is the token count. */
export function tokenAt(source: ParserText, offset: number): number {
  if (offset >= source.text.length) return source.offsets.length
  return source.offsets.findLastIndex((start) => start <= offset)
}

function nameOf(reading: Reading, text: string): Name | undefined {
  const found = /^n(\d+)$/.exec(text)
  return found === null ? undefined : reading.source.names[Number(found[1])]
}

/** The name that the parser saw as "n<k>"; a keyword where a name should be is a 42601. */
export function readName(reading: Reading, value: unknown): Name {
  if (typeof value === 'string') {
    const name = nameOf(reading, value)
    if (name !== undefined) {
      reading.namesRead.add(name.tokenIndex)
      return name
    }
    const what = value.includes('(') ? 'a list of column names after an alias' : value.toUpperCase()
    throw new LsmtError('0A000', `${what} is not supported here`)
  }
  if (isNode(value) && typeof value['value'] === 'string') return readName(reading, value['value'])
  throw new LsmtError('XX000', 'internal error: the parser gave no name where one was expected')
}

export function readOptionalName(reading: Reading, value: unknown): Name | undefined {
  return value === null || value === undefined ? undefined : readName(reading, value)
}
