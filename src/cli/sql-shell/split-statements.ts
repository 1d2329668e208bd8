/**
 * A text into its statements, before anybody knows whether they are right: only quotes, dollar quotes and comments
 * matter, as src/sql/scan/lexer.ts has them. A transaction begins and ends within one text, so its statements stay together.
 */
export interface SplitText {
  /** Complete statements, each up to its semicolon. */
  readonly statements: readonly string[]
  /** What follows the last semicolon. */
  readonly rest: string
}

export function splitStatements(text: string): SplitText {
  const { statements, rest } = cut(text)
  return joined(statements, rest)
}

/** The same without keeping transactions together; what follows the last semicolon is one more if it says anything. */
export function singleStatements(text: string): readonly string[] {
  const { statements, rest } = cut(text)
  return hasContent(rest) ? [...statements, rest] : statements
}

function cut(text: string): SplitText {
  const pieces: string[] = []
  let start = 0
  for (let at = 0; at < text.length; ) {
    if (text[at] === ';') {
      pieces.push(text.slice(start, at + 1))
      start = ++at
    } else at = tokenEnd(text, at)
  }
  return { statements: pieces.filter(hasContent), rest: text.slice(start) }
}

/** Statements from BEGIN to COMMIT or ROLLBACK as one; of a transaction that is still open all is rest. */
function joined(pieces: readonly string[], rest: string): SplitText {
  const statements: string[] = []
  let open: string[] = []
  for (const piece of pieces) {
    open.push(piece)
    const isInside = open.length > 1 || beginsTransaction(piece)
    if (isInside && !endsTransaction(piece)) continue
    statements.push(open.join(''))
    open = []
  }
  return { statements, rest: open.join('') + rest }
}

function beginsTransaction(statement: string): boolean {
  const words = wordsOf(statement)
  return words[0] === 'BEGIN' || (words[0] === 'START' && words[1] === 'TRANSACTION')
}

function endsTransaction(statement: string): boolean {
  const words = wordsOf(statement)
  return words[0] === 'COMMIT' || words[0] === 'END' || words[0] === 'ABORT' || (words[0] === 'ROLLBACK' && !words.includes('TO'))
}

/** Whether the text has more than blanks and comments. */
export function hasContent(text: string): boolean {
  return wordsOf(text).length > 0
}

/** The first words in capitals, comments left out. */
export function wordsOf(statement: string): readonly string[] {
  const words: string[] = []
  for (let at = 0; at < statement.length && words.length < 4; ) {
    const end = tokenEnd(statement, at)
    const piece = statement.slice(at, end)
    if (!/^(\s|--|\/\*|;)/.test(piece)) words.push(piece.toUpperCase())
    at = end
  }
  return words
}

const wordPattern = /[\p{L}_][\p{L}\p{N}_$]*/uy
const dollarPattern = /\$([\p{L}_][\p{L}\p{N}_]*)?\$/uy

/** Where the token, blank or comment at `at` ends; the text's end when it does not. */
function tokenEnd(text: string, at: number): number {
  const two = text.slice(at, at + 2)
  if (two === '--') return indexOrEnd(text, text.indexOf('\n', at))
  if (two === '/*') return commentEnd(text, at)
  if (/^[eE]'$/.test(two)) return quoteEnd(text, at + 1, true)
  const first = text[at]!
  if (first === "'" || first === '"') return quoteEnd(text, at, false)
  if (first === '$') return dollarEnd(text, at)
  wordPattern.lastIndex = at
  return wordPattern.test(text) ? wordPattern.lastIndex : at + 1
}

function indexOrEnd(text: string, index: number): number {
  return index < 0 ? text.length : index + 1
}

/** Comments nest. */
function commentEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const two = text.slice(at, at + 2)
    if (two !== '/*' && two !== '*/') continue
    depth += two === '/*' ? 1 : -1
    at++
    if (depth === 0) return at + 1
  }
  return text.length
}

/** A doubled quote is one of the text; a backslash takes the next character with it where `escapes`. */
function quoteEnd(text: string, from: number, escapes: boolean): number {
  const quote = text[from]
  for (let at = from + 1; at < text.length; at++) {
    if (escapes && text[at] === '\\') at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1
      at++
    }
  }
  return text.length
}

function dollarEnd(text: string, at: number): number {
  dollarPattern.lastIndex = at
  const tag = dollarPattern.exec(text)?.[0]
  if (tag === undefined) return at + 1
  const end = text.indexOf(tag, at + tag.length)
  return end < 0 ? text.length : end + tag.length
}
