/**
 * An INSERT of many tuples is looked at twice, by who looks where its tuples end, and by the kernel that reads them. The first
 * look is spared where the end of the text shows that a statement ends there, and lets suppose that all behind the first tuple
 * is more such tuples: the kernel, which takes nothing else, tells whether it is so. If not, nothing was written, and the
 * text is scanned as any.
 */
import type { ScannedStatement } from './scan-state.ts'
import { scanStatements } from './shape.ts'

/** A text taken apart. */
export interface PreparedText {
  readonly text: string
  /** How many statements it has. */
  readonly count: number
  readonly statements: readonly ScannedStatement[]
  /** What its one statement is if all tuples are as its first one. */
  readonly supposed?: ScannedStatement | undefined
}

/** 42601 for a token that does not end; of a supposed statement that is told when `statements` are asked for. */
export function prepareLong(text: string): PreparedText {
  const end = tuplesEnd(text)
  const statements = scanStatements(text, end)
  const [supposed] = statements
  return supposed?.tuplesAreSupposed === true ? new SupposedText(text, supposed) : { text, count: statements.length, statements }
}

class SupposedText implements PreparedText {
  readonly text: string
  readonly count = 1
  readonly supposed: ScannedStatement
  #statements: readonly ScannedStatement[] | undefined

  constructor(text: string, supposed: ScannedStatement) {
    this.text = text
    this.supposed = supposed
  }

  get statements(): readonly ScannedStatement[] {
    return (this.#statements ??= scanStatements(this.text))
  }
}

/** Where tuples end that the text may end with; -1 where it does not end with one behind another, or may have several statements. */
function tuplesEnd(text: string): number {
  const last = lastBefore(text, text.length)
  const end = (text[last] === ';' ? lastBefore(text, last) : last) + 1
  if (text[end - 1] !== ')') return -1
  const opening = text.lastIndexOf('(', end)
  if (opening <= 0 || text[lastBefore(text, opening)] !== ',') return -1
  const semicolon = text.indexOf(';')
  return semicolon < 0 || semicolon >= end ? end : -1
}

/** The last character before `end` that is not blank; -1 when there is none. */
function lastBefore(text: string, end: number): number {
  let at = end - 1
  while (at >= 0 && isBlank(text.charCodeAt(at))) at--
  return at
}

const isBlank = (unit: number): boolean => unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
