/**
 * Parts of a statement. The parser's time doubles with each nesting level, and its precedence is not PostgreSQL's; so a
 * statement is cut until no part holds anything whose reading could be in doubt, and it reads each part on its own.
 * In the text of a part a column or table is "n<k>", a value $<k>, and another part "x<k>", each counted from the
 * part's start: parts of the same form have the same text, whatever stands in them.
 */
import type { Name } from '../names.ts'

/** What the parser does not know, or reads as something else; its operands stand as the arguments of a call. */
export type Operator = 'not' | 'is null' | 'is true' | 'is false' | 'is unknown' | 'distinct' | 'like' | 'ilike' | 'power' | 'interval' | 'exists' | 'between symmetric'

export interface SetStep {
  readonly operator: 'union' | 'intersect' | 'except'
  readonly all: boolean
  /** The token that says so. */
  readonly at: number
}

/** What a part is, beyond what the parser's tree of it tells. */
export type Meaning =
  | { readonly kind: 'tree' }
  /** `filtered`: the last operand is the condition of FILTER. */
  | { readonly kind: 'call'; readonly name: string; readonly distinct: boolean; readonly star: boolean; readonly filtered: boolean }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly negated: boolean }
  /** `a < ANY (SELECT …)`: the comparison of an operand with all that a query gives. */
  | { readonly kind: 'quantified'; readonly comparison: string; readonly all: boolean }
  /** Not for the parser, as it is whole already. */
  | { readonly kind: 'number'; readonly digits: string }
  | { readonly kind: 'word'; readonly text: string }
  /** Stands where ON's condition would: the tables are joined by the columns of the same names. */
  | { readonly kind: 'natural' }
  | { readonly kind: 'select' }
  /** The select list holds the values of all rows; how many of them are in each. */
  | { readonly kind: 'values'; readonly widths: readonly number[] }
  /** The select list holds the queries between which the steps stand. */
  | { readonly kind: 'set'; readonly steps: readonly SetStep[] }
  /** MATERIALIZED, or NOT MATERIALIZED, stands before the query that the select list holds. */
  | { readonly kind: 'common'; readonly materialized: boolean }
  /** Joined tables. */
  | { readonly kind: 'from' }
  | { readonly kind: 'statement' }

export interface Part {
  readonly meaning: Meaning
  readonly source: ParserText
  /** Its first token. */
  readonly start: number
}

export interface ParserText {
  readonly text: string
  readonly names: readonly Name[]
  /** Slots of the statement that are $1, $2 … here. */
  readonly slots: readonly number[]
  readonly parts: readonly Part[]
  /** Columns listed after an alias, by the token of the alias. */
  readonly columnsOf: ReadonlyMap<number, readonly Name[]>
  /** Offsets in `text`, ascending, and the index of the token that stands there. */
  readonly offsets: readonly number[]
  readonly tokenIndexes: readonly number[]
  /** The token after the last one. */
  readonly end: number
}

/** A stretch of a part; `at` is its first token. */
export type Element =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  /** `a.b`, `a.*`, and `a (b, c)` where a is an alias. */
  | { readonly kind: 'name'; readonly names: readonly Name[]; readonly star: boolean; readonly columns: readonly Name[] | undefined; readonly at: number }
  | { readonly kind: 'slot'; readonly slot: number; readonly at: number }
  | { readonly kind: 'part'; readonly part: Part; readonly at: number }

export function textElement(text: string, at: number): Element {
  return { kind: 'text', text, at }
}

export function nameElement(names: readonly Name[], columns?: readonly Name[]): Element {
  return { kind: 'name', names, star: false, columns, at: names[0]!.tokenIndex }
}

export function partElement(part: Part): Element {
  return { kind: 'part', part, at: part.start }
}

/** Before an expression, so that it can be parsed alone: in the select list some expressions read differently. */
const beforeExpression = 'select * where'
const beforeTables = 'select * from'

export function newPart(meaning: Meaning, elements: readonly Element[], end: number): Part {
  const { kind } = meaning
  const prefix = kind === 'from' ? beforeTables : kind === 'tree' || kind === 'call' || kind === 'operator' || kind === 'quantified' ? beforeExpression : ''
  return { meaning, source: parserText(elements, end, prefix), start: elements[0]!.at }
}

/** A part that needs no parsing. */
export function wholePart(meaning: Meaning, at: number): Part {
  return { meaning, source: parserText([], at + 1), start: at }
}

export function parserText(elements: readonly Element[], end: number, prefix = ''): ParserText {
  const names: Name[] = []
  const slots: number[] = []
  const parts: Part[] = []
  const columnsOf = new Map<number, readonly Name[]>()
  const offsets: number[] = []
  const tokenIndexes: number[] = []
  let text = prefix
  for (const element of elements) {
    const piece = textOf(element)
    if (piece === '') continue
    if (text !== '' && piece !== '.' && !text.endsWith('.')) text += ' '
    offsets.push(text.length)
    tokenIndexes.push(element.at)
    text += piece
  }
  return { text, names, slots, parts, columnsOf, offsets, tokenIndexes, end }

  function textOf(element: Element): string {
    switch (element.kind) {
      case 'text':
        return element.text
      case 'slot':
        return `$${slots.push(element.slot)}`
      case 'part':
        return `"x${parts.push(element.part) - 1}"`
      case 'name':
        if (element.columns !== undefined) columnsOf.set(element.at, element.columns)
        return element.names.map((name) => `"n${names.push(name) - 1}"`).join('.') + (element.star ? '.*' : '')
    }
  }
}
