/**
 * `DEFAULT value` in column definitions: taken out before the parser sees them, since it would unescape texts and round
 * numbers. The tokens keep their places, emptied, so that positions in errors stay right.
 */
import { errorAt } from '../../origin.ts'
import type { Origin } from '../../origin.ts'
import { token } from '../../scan/lexer.ts'
import type { ShapeToken } from '../names.ts'

/** A default as SQL text, and its first token. */
export interface DefaultText {
  readonly text: string
  readonly tokenIndex: number
}

export interface SplitDefaults {
  readonly definition: readonly ShapeToken[]
  /** By the index of the token that names the column. */
  readonly defaults: ReadonlyMap<number, DefaultText>
}

/** Column definitions stand in parentheses of depth one. */
export function splitDefaults(tokens: readonly ShapeToken[], origin: Origin): SplitDefaults {
  const defaults = new Map<number, DefaultText>()
  const definition = tokens.slice()
  let depth = 0
  let column = -1
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (depth === 1 && (tokens[at - 1]?.text === '(' || tokens[at - 1]?.text === ',')) column = at
    if (kind === token.symbol) depth += depthStep(text)
    if (depth !== 1 || kind !== token.word || text !== 'default' || at === column) continue
    const end = defaultEnd(tokens, at + 1)
    if (end === at + 1 || defaults.has(column)) throw errorAt(origin, at, '42601', defaults.has(column) ? 'a column has more than one DEFAULT' : 'DEFAULT needs a value')
    defaults.set(column, { text: joined(tokens.slice(at + 1, end)), tokenIndex: at + 1 })
    definition.fill({ kind: token.symbol, text: '' }, at, end)
    at = end - 1
  }
  return { definition, defaults }
}

function depthStep(text: string): number {
  return text === '(' ? 1 : text === ')' ? -1 : 0
}

const afterDefault = new Set(['not', 'null', 'primary', 'unique', 'check', 'references', 'constraint', 'collate', 'generated', 'deferrable', 'initially', 'default'])

/** Index after a default's last token: at least one, as NULL can be a value as well as a constraint. */
export function defaultEnd(tokens: readonly ShapeToken[], from: number): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!
    if (depth === 0 && (text === ',' || text === ')')) return at
    if (depth === 0 && at > from && kind === token.word && afterDefault.has(text)) return at
    if (kind === token.symbol) depth += depthStep(text)
  }
  return tokens.length
}

/** Tokens as text that scans to the same tokens again. */
export function joined(tokens: readonly ShapeToken[]): string {
  let text = ''
  for (const [index, piece] of tokens.entries()) {
    const before = tokens[index - 1]
    const tight = index === 0 || piece.text === ')' || piece.text === ',' || piece.text === '::' || before!.text === '(' || (index === 1 && before!.text === '-') || before!.text === '::' || (piece.text === '(' && before!.kind === token.word)
    text += tight ? piece.text : ` ${piece.text}`
  }
  return text
}
