/**
 * Mends for a query's tokens before node-sql-parser sees them, each for something that it reads wrongly or not at all:
 *
 *   a OR b AND c           is read as (a OR b) AND c        → a OR ( b AND c )
 *   NOT ( a ) = b          is a call of a function NOT      → f_not ( ( a ) = b )
 *   a = b IS NULL          is refused, IS DISTINCT FROM     → f_is_null ( a = b ), f_distinct ( a , b )
 *                          becomes a text
 *   a LIKE b ESCAPE c      is refused                       → f_like ( a , b , c )
 *   a + b || c             is read as a + (b || c)          → ( a + b ) || c
 *   a LIKE b = c           is read as a LIKE (b = c)        → ( a LIKE b ) = c
 *   sum ( DISTINCT a )     is refused but for COUNT         → fd_sum ( a ), fs_count ( ) for COUNT(*), f_name ( … ) for all
 *   substring ( a FROM b ) and its like are refused         → f_substring ( a , b )
 *   a JOIN b ON c , d      reads d as part of ON            → a JOIN b ON c CROSS JOIN d
 *   INTERVAL ?             is refused                       → f_interval ( ? )
 *
 * One walk over the tokens; parentheses and CASE … END nest. An expression's segment ends at commas and clause words.
 */
import { token } from './lexer.ts'

export interface Token {
  readonly kind: number
  readonly text: string
}

/** What is written before, after and instead of each token. */
export interface Edits {
  readonly before: string[]
  readonly after: string[]
  readonly instead: (string | undefined)[]
}

/** A token or a nested group of an expression: [start, end). */
interface Part {
  readonly start: number
  readonly end: number
  /** The word or symbol; '' for groups, names in quotes and values. */
  readonly text: string
}

interface Walk {
  readonly tokens: readonly Token[]
  readonly edits: Edits
  at: number
}

const segmentEnds = new Set(
  `, select from where on having by when then else limit offset union intersect except group order as asc desc nulls using join inner left
  right full cross natural with values over fetch for leading trailing both window`.split(/\s+/),
)
const comparisons = new Set(['=', '<>', '!=', '<', '<=', '>', '>=', '=='])
const notCalls = new Set(
  `in and or not exists values cast as from join by with where on using select having when then else case union all any some except intersect
  distinct between like ilike is escape over limit offset numeric decimal dec varchar varying float set materialized end asc desc array row`.split(/\s+/),
)

/** Looks at the tokens from `start` on, where the query begins. */
export function disambiguate(tokens: readonly Token[], start = 0): Edits {
  const edits: Edits = { before: tokens.map(() => ''), after: tokens.map(() => ''), instead: tokens.map(() => undefined) }
  const walk: Walk = { tokens, edits, at: start }
  while (walk.at < tokens.length) {
    walkGroup(walk, '')
    walk.at++
  }
  return edits
}

function textAt({ tokens }: Walk, at: number): string {
  const found = tokens[at]
  return found === undefined || found.kind === token.quotedName ? '' : found.text
}

/** Walks to the end of a group: `)` or END, which is left to the caller. `call`: the function whose arguments these are. */
function walkGroup(walk: Walk, call: string): void {
  let parts: Part[] = []
  let clause = ''
  for (; walk.at < walk.tokens.length; walk.at++) {
    const { at } = walk
    const text = textAt(walk, at)
    if (text === ')' || text === 'end') break
    if (text === '(' || text === 'case') {
      parts.push(walkNested(walk))
      continue
    }
    if (segmentEnds.has(text) && !isCallHere(walk, at)) {
      if (text !== 'from' || parts.length === 0 || walk.edits.instead[at] === undefined) {
        if (isDistinctFrom(walk, at)) {
          parts.push({ start: at, end: at + 1, text })
          continue
        }
        mendSegment(walk, parts)
        parts = []
        mendSeparator(walk, text, clause, call)
        if (text !== ',') clause = text
        continue
      }
    }
    if (text === 'interval' && walk.tokens[at + 1]?.kind === token.positionalParameter) {
      walk.edits.instead[at] = 'f_interval ('
      walk.edits.after[at + 1] += ' )'
    }
    if (text === 'current_timestamp' || text === 'localtimestamp') walk.edits.instead[at] = 'f_now ( )'
    if (text === 'current_date') walk.edits.instead[at] = 'f_current_date ( )'
    if (call === 'position' && text === 'in') walk.edits.instead[at] = ','
    if (isSilent(walk, at)) walk.edits.instead[at] = ''
    else parts.push({ start: at, end: at + 1, text })
  }
  mendSegment(walk, parts)
}

function isDistinctFrom(walk: Walk, at: number): boolean {
  return textAt(walk, at) === 'from' && textAt(walk, at - 1) === 'distinct' && (textAt(walk, at - 2) === 'is' || textAt(walk, at - 2) === 'not')
}

/** Words that change nothing: SELECT ALL, and DISTINCT or ALL that went into a function's name. */
function isSilent(walk: Walk, at: number): boolean {
  const text = textAt(walk, at)
  return (text === 'all' && textAt(walk, at - 1) === 'select') || text === 'asymmetric' || walk.edits.instead[at] === ''
}

function isCallHere(walk: Walk, at: number): boolean {
  const text = textAt(walk, at)
  return (text === 'left' || text === 'right') && textAt(walk, at + 1) === '(' && !['join', 'outer'].includes(textAt(walk, at + 1)) && isOperandHere(walk, at)
}

/** Whether an operand, not a join, can stand here: LEFT and RIGHT are functions and joins. */
function isOperandHere(walk: Walk, at: number): boolean {
  const before = textAt(walk, at - 1)
  return ['select', '(', ',', '=', '<', '>', '<=', '>=', '<>', '+', '-', '*', '/', '%', '||', 'and', 'or', 'not', 'where', 'on', 'by', 'when', 'then', 'else', 'distinct', 'having', 'between', 'like', 'ilike'].includes(before)
}

/** A group with what makes it a call, as one part. */
function walkNested(walk: Walk): Part {
  const start = walk.at
  const isCase = textAt(walk, start) === 'case'
  const call = isCase ? '' : nameCall(walk, start)
  walk.at++
  if (call === 'cast') keepType(walk)
  walkGroup(walk, call)
  return { start, end: Math.min(walk.at + 1, walk.tokens.length), text: '' }
}

/** Gives the call its own name; '' when the parenthesis belongs to none. */
function nameCall(walk: Walk, open: number): string {
  const name = textAt(walk, open - 1)
  if (walk.tokens[open - 1]?.kind !== token.word) return ''
  if (name === 'cast') return name
  if (notCalls.has(name) || isColumnList(walk, open)) return ''
  const first = textAt(walk, open + 1)
  const prefix = first === '*' && textAt(walk, open + 2) === ')' ? 'fs_' : first === 'distinct' ? 'fd_' : 'f_'
  if (prefix !== 'f_' || first === 'all') walk.edits.instead[open + 1] = ''
  walk.edits.instead[open - 1] = `${prefix}${name}`
  if (name === 'trim') nameTrim(walk, open, first)
  if (name === 'extract' && walk.tokens[open + 1]?.kind === token.word) walk.edits.instead[open + 1] = `'${first.replaceAll(/[^a-z_]/g, '')}'`
  return name
}

/** `WITH t (a, b) AS`, and `AS t (a, b)`. */
function isColumnList(walk: Walk, open: number): boolean {
  const before = textAt(walk, open - 2)
  if (before === 'as' || before === 'with' || before === 'from' || before === 'join') return true
  let depth = 0
  let at = open
  for (; at < walk.tokens.length; at++) {
    const text = textAt(walk, at)
    if (text === '(') depth++
    else if (text === ')' && --depth === 0) break
  }
  return textAt(walk, at + 1) === 'as' && textAt(walk, at + 2) === '('
}

const trims = new Set(['both', 'leading', 'trailing'])

/** trim(both x from y) → f_trim_both(x, y). */
function nameTrim(walk: Walk, open: number, first: string): void {
  if (!trims.has(first)) return
  walk.edits.instead[open + 1] = ''
  walk.edits.instead[open - 1] = `f_trim_${first}`
  if (textAt(walk, open + 2) === 'from') walk.edits.instead[open + 2] = "' ' ,"
}

/** The words of a type are no names. */
function keepType(walk: Walk): void {
  let depth = 1
  let type = false
  for (let at = walk.at; at < walk.tokens.length && depth > 0; at++) {
    const text = textAt(walk, at)
    if (text === '(') depth++
    else if (text === ')') depth--
    else if (text === 'as' && depth === 1) type = true
    else if (type) walk.edits.instead[at] = typeWord(text)
  }
}

const typeWords: ReadonlyMap<string, string> = new Map([['dec', 'decimal'], ['int8', 'bigint'], ['int4', 'integer'], ['int2', 'smallint'], ['float8', 'double precision'], ['float4', 'real'], ['bool', 'boolean']])

function typeWord(text: string): string {
  return typeWords.get(text) ?? text
}

const wordy = new Set(['substring', 'extract', 'trim', 'position', 'overlay'])

function mendSeparator({ edits, at }: Walk, text: string, clause: string, call: string): void {
  if (text === ',' && clause === 'on') edits.instead[at] = 'cross join'
  else if (wordy.has(call) && (text === 'from' || text === 'for') && edits.instead[at] === undefined) edits.instead[at] = ','
}

/** The parts between separators, by index: [from, to) of those that are none. */
function split(parts: readonly Part[], isSeparator: (index: number) => boolean): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = []
  let from = 0
  for (let index = 0; index <= parts.length; index++) {
    if (index < parts.length && !isSeparator(index)) continue
    ranges.push([from, index])
    from = index + 1
  }
  return ranges
}

function mendSegment(walk: Walk, parts: readonly Part[]): void {
  if (parts.length < 2) return
  const joins = conjunctions(parts)
  const runs = split(parts, (index) => joins.has(index) || parts[index]!.text === 'or')
  for (const [from, to] of runs) mendRun(walk, parts.slice(from, to))
  const alternatives = split(parts, (index) => parts[index]!.text === 'or')
  if (alternatives.length === 1) return
  for (const [from, to] of alternatives) if ([...joins].some((index) => index >= from && index < to)) wrap(walk, parts.slice(from, to), '(')
}

/** Indexes of ANDs that are no BETWEEN's. */
function conjunctions(parts: readonly Part[]): ReadonlySet<number> {
  const found = new Set<number>()
  let between = 0
  for (const [index, { text }] of parts.entries()) {
    if (text === 'between') between++
    else if (text === 'and' && between > 0) between--
    else if (text === 'and') found.add(index)
  }
  return found
}

/** Wraps parts; what is wrapped later stands further out. */
function wrap({ edits }: Walk, parts: readonly Part[], opening: string): void {
  const [first] = parts
  if (first === undefined) return
  // The name of a call is a part of its own, before the group.
  edits.before[first.start] = `${opening} ${edits.before[first.start]}`
  const last = parts.at(-1)!.end - 1
  edits.after[last] += ' )'
}

function mendRun(walk: Walk, parts: readonly Part[]): void {
  let start = 0
  while (parts[start]?.text === 'not') start++
  const rest = parts.slice(start)
  mendSides(walk, rest)
  mendRanges(walk, rest)
  mendTests(walk, rest)
  for (let index = start - 1; index >= 0; index--) {
    walk.edits.instead[parts[index]!.start] = 'f_not ('
    const last = parts.at(-1)!.end - 1
    walk.edits.after[last] += ' )'
  }
}

const rangeTests = new Set(['between', 'in', 'like', 'ilike'])
const weakerThanRanges = new Set([...comparisons, 'is', 'isnull', 'notnull', 'distinct', 'from'])

/** BETWEEN, IN and LIKE beside a comparison. */
function mendRanges(walk: Walk, parts: readonly Part[]): void {
  if (!parts.some(({ text }) => comparisons.has(text))) return
  for (const [from, to] of split(parts, (index) => weakerThanRanges.has(parts[index]!.text))) {
    if (parts.slice(from, to).some(({ text }) => rangeTests.has(text))) wrap(walk, parts.slice(from, to), '(')
  }
}

/** IS and what follows it, from left to right; each wraps all before it. */
function mendTests(walk: Walk, parts: readonly Part[]): void {
  const blank = (index: number, instead = ''): void => {
    walk.edits.instead[parts[index]!.start] = instead
  }
  for (let index = 1; index < parts.length; index++) {
    const { text } = parts[index]!
    if (text === 'isnull' || text === 'notnull') {
      open(walk, parts, text === 'isnull' ? 'f_is_null (' : 'f_is_not_null (')
      blank(index, ')')
    }
    if (text !== 'is') continue
    const negated = parts[index + 1]?.text === 'not'
    const test = index + (negated ? 2 : 1)
    const word = parts[test]?.text ?? ''
    if (['null', 'true', 'false', 'unknown'].includes(word)) {
      open(walk, parts, `f_is_${negated ? 'not_' : ''}${word === 'unknown' ? 'null' : word} (`)
      for (let at = index; at < test; at++) blank(at)
      blank(test, ')')
    } else if (word === 'distinct' && parts[test + 1]?.text === 'from') {
      open(walk, parts, negated ? 'f_not_distinct (' : 'f_distinct (')
      for (let at = index; at <= test; at++) blank(at)
      blank(test + 1, ',')
      const next = parts.findIndex((part, at) => at > test && part.text === 'is')
      walk.edits.after[(next < 0 ? parts.at(-1)! : parts[next - 1]!).end - 1] += ' )'
    }
  }
}

function open({ edits }: Walk, parts: readonly Part[], opening: string): void {
  const { start } = parts[0]!
  edits.before[start] = `${opening} ${edits.before[start]}`
}

function isBoundary({ text }: Part): boolean {
  return comparisons.has(text) || ['is', 'isnull', 'notnull', 'between', 'and', 'in', 'like', 'ilike', 'not', 'escape'].includes(text)
}

/** The sides of comparisons: || is weaker than + and *, and LIKE has three sides with ESCAPE. */
function mendSides(walk: Walk, parts: readonly Part[]): void {
  const sides = split(parts, (index) => isBoundary(parts[index]!))
  for (const [from, to] of sides) mendConcatenation(walk, parts.slice(from, to))
  const escape = parts.findIndex(({ text }) => text === 'escape')
  const like = parts.findLastIndex(({ text }, index) => index < escape && (text === 'like' || text === 'ilike'))
  if (like < 1) return
  const negated = parts[like - 1]!.text === 'not'
  const leftEnd = negated ? like - 1 : like
  const left = sides.find(([, to]) => to === leftEnd)
  const right = sides.find(([from]) => from === escape + 1)
  if (left === undefined || right === undefined || left[0] === left[1] || right[0] === right[1]) return
  wrap(walk, [parts[left[0]]!, parts[right[1] - 1]!], `f_${negated ? 'not_' : ''}${parts[like]!.text} (`)
  if (negated) walk.edits.instead[parts[like - 1]!.start] = ''
  walk.edits.instead[parts[like]!.start] = ','
  walk.edits.instead[parts[escape]!.start] = ','
}

const arithmetic = new Set(['+', '-', '*', '/', '%'])

function mendConcatenation(walk: Walk, parts: readonly Part[]): void {
  if (!parts.some(({ text }) => text === '||') || !parts.some(({ text }) => arithmetic.has(text))) return
  for (const [from, to] of split(parts, (index) => parts[index]!.text === '||')) if (to - from > 1) wrap(walk, parts.slice(from, to), '(')
}
