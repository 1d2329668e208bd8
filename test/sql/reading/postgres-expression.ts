/**
 * How PostgreSQL reads an expression, as an oracle: its grammar's rules, and the table of precedences by which its
 * parser decides whether to reduce what it has or to shift the next token (%left, %right, %nonassoc in gram.y). Written
 * as the shift-reduce parser that it is, so that it shares no idea with what it judges. Gives the tree as text, or
 * undefined for what is no expression.
 */

/** Precedences of tokens, and of the rules that end with an operand. */
const precedence: Readonly<Record<string, number>> = {
  or: 1, and: 2, not: 3, is: 4, isnull: 4, notnull: 4,
  '=': 5, '<': 5, '>': 5, '<=': 5, '>=': 5, '<>': 5,
  between: 6, in: 6, like: 6, ilike: 6,
  escape: 7, '||': 8, '+': 9, '-': 9, '*': 10, '/': 10, '%': 10, '^': 11, sign: 12, '::': 13,
}
const leftAssociative = new Set([1, 2, 8, 9, 10, 11])
const binaries = new Set(['or', 'and', '=', '<', '>', '<=', '>=', '<>', '||', '+', '-', '*', '/', '%', '^'])

/** A rule that waits for its last operand. */
interface Pending {
  readonly precedence: number
  /** BETWEEN before its AND: what follows is of the lesser kind of expressions. */
  readonly low: boolean
  /** LIKE that may still take an ESCAPE. */
  readonly pattern: boolean
  readonly reduce: (operand: string) => string
}

interface Reader {
  readonly tokens: readonly string[]
  at: number
}

class NoExpression extends Error {}

export function readAsPostgres(tokens: readonly string[]): string | undefined {
  const reader: Reader = { tokens, at: 0 }
  try {
    const tree = readExpression(reader)
    return reader.at === tokens.length ? tree : undefined
  } catch (error) {
    if (error instanceof NoExpression) return undefined
    throw error
  }
}

function take(reader: Reader, token: string): void {
  if (reader.tokens[reader.at] !== token) throw new NoExpression()
  reader.at++
}

function accept(reader: Reader, ...tokens: readonly string[]): boolean {
  if (!tokens.every((token, ahead) => reader.tokens[reader.at + ahead] === token)) return false
  reader.at += tokens.length
  return true
}

function readExpression(reader: Reader, plain = false): string {
  const stack: Pending[] = []
  let operand = readOperand(reader, stack, plain)
  for (;;) {
    operand = reduce(reader, stack, operand, plain)
    const isPlain = plain || stack.some(({ low }) => low)
    const next = reader.tokens[reader.at]
    if (next === undefined || [')', ',', 'when', 'then', 'else', 'end', 'as'].includes(next) || (plain && next === 'in')) {
      if (stack.length > 0) throw new NoExpression()
      return operand
    }
    operand = shift(reader, stack, operand, isPlain)
  }
}

/** Applies waiting rules that bind at least as strongly as the next token. */
function reduce(reader: Reader, stack: Pending[], first: string, plain: boolean): string {
  let operand = first
  const next = reader.tokens[reader.at] ?? ''
  const isNegated = next === 'not'
  const token = isNegated ? (reader.tokens[reader.at + 1] ?? '') : next
  // Inside of POSITION, IN is no operator.
  const strength = plain && token === 'in' ? 0 : (precedence[token] ?? 0)
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.low) return operand
    if (token === 'escape') {
      if (top.pattern) return operand
    } else if (top.precedence < strength && !(token === 'and' && stack.some(({ low }) => low))) return operand
    else if (top.precedence === strength && !leftAssociative.has(strength)) throw new NoExpression()
    stack.pop()
    operand = top.reduce(operand)
  }
  return operand
}

function shift(reader: Reader, stack: Pending[], operand: string, plain: boolean): string {
  const negated = accept(reader, 'not')
  const token = reader.tokens[reader.at++]!
  const top = stack.at(-1)
  const wait = (rule: Partial<Pending> & Pick<Pending, 'precedence' | 'reduce'>): string => {
    stack.push({ low: false, pattern: false, ...rule })
    return readOperand(reader, stack, plain || rule.low === true)
  }
  if (plain) {
    if (token === 'and' && top?.low === true && !negated) {
      stack.pop()
      stack.push({ precedence: precedence['between']!, low: false, pattern: false, reduce: (high) => `${top.reduce(operand)} ${high})` })
      return readOperand(reader, stack, false)
    }
    const isDistinct = token === 'is' && (reader.tokens[reader.at] === 'distinct' || reader.tokens[reader.at + 1] === 'distinct')
    if (negated || !(isDistinct || token === '::' || (binaries.has(token) && token !== 'and' && token !== 'or'))) throw new NoExpression()
  }
  const not = negated ? 'not ' : ''
  switch (token) {
    case '::':
      if (negated) throw new NoExpression()
      return `(cast ${operand} ${reader.tokens[reader.at++]})`
    case 'isnull':
    case 'notnull':
      if (negated) throw new NoExpression()
      return `(is ${token === 'notnull' ? 'not ' : ''}null ${operand})`
    case 'is': {
      if (negated) throw new NoExpression()
      const not = accept(reader, 'not') ? 'not ' : ''
      if (accept(reader, 'distinct', 'from')) return wait({ precedence: precedence['is']!, reduce: (right) => `(${not}distinct ${operand} ${right})` })
      const test = reader.tokens[reader.at++] ?? ''
      if (!['null', 'true', 'false', 'unknown'].includes(test)) throw new NoExpression()
      return `(is ${not}${test} ${operand})`
    }
    case 'between':
      return wait({ precedence: 0, low: true, reduce: (low) => `(${not}between ${operand} ${low}` })
    case 'in':
      return `(${not}in ${operand} ${readList(reader)})`
    case 'like':
    case 'ilike':
      return wait({ precedence: precedence[token]!, pattern: true, reduce: (right) => `(${not}${token} ${operand} ${right})` })
    case 'escape':
      if (negated || top?.pattern !== true) throw new NoExpression()
      stack.pop()
      return wait({ precedence: precedence['like']!, reduce: (right) => `${top.reduce(operand).slice(0, -1)} ${right})` })
  }
  if (negated || !binaries.has(token)) throw new NoExpression()
  return wait({ precedence: precedence[token]!, reduce: (right) => `(${token} ${operand} ${right})` })
}

function readList(reader: Reader): string {
  take(reader, '(')
  const items: string[] = []
  do items.push(readExpression(reader))
  while (accept(reader, ','))
  take(reader, ')')
  return `[${items.join(' ')}]`
}

/** Prefixes wait on the stack. */
function readOperand(reader: Reader, stack: Pending[], plain: boolean): string {
  for (;;) {
    if (accept(reader, 'not')) {
      if (plain) throw new NoExpression()
      stack.push({ precedence: precedence['not']!, low: false, pattern: false, reduce: (operand) => `(not ${operand})` })
    } else if (accept(reader, '-')) stack.push({ precedence: precedence['sign']!, low: false, pattern: false, reduce: (operand) => `(- ${operand})` })
    else if (accept(reader, '+')) stack.push({ precedence: precedence['sign']!, low: false, pattern: false, reduce: (operand) => `(+ ${operand})` })
    else return readPrimary(reader)
  }
}

function readPrimary(reader: Reader): string {
  const token = reader.tokens[reader.at++] ?? ''
  switch (token) {
    case '(': {
      const inner = readExpression(reader)
      take(reader, ')')
      return inner
    }
    case 'case':
      return readCase(reader)
    case 'cast': {
      take(reader, '(')
      const operand = readExpression(reader)
      take(reader, 'as')
      const cast = `(cast ${operand} ${reader.tokens[reader.at++]})`
      take(reader, ')')
      return cast
    }
    case 'position': {
      take(reader, '(')
      const sought = readExpression(reader, true)
      take(reader, 'in')
      const call = `(position ${sought} ${readExpression(reader, true)})`
      take(reader, ')')
      return call
    }
    case 'f':
      return `(f ${readList(reader).slice(1, -1)})`
  }
  if (!/^([a-e]|\$\d+|null|true|false)$/.test(token)) throw new NoExpression()
  return token
}

function readCase(reader: Reader): string {
  const subject = reader.tokens[reader.at] === 'when' ? '' : `${readExpression(reader)} `
  const branches: string[] = []
  while (accept(reader, 'when')) {
    const when = readExpression(reader)
    take(reader, 'then')
    branches.push(`${when} ${readExpression(reader)}`)
  }
  if (branches.length === 0) throw new NoExpression()
  const otherwise = accept(reader, 'else') ? ` else ${readExpression(reader)}` : ''
  take(reader, 'end')
  return `(case ${subject}${branches.join(' ')}${otherwise})`
}
