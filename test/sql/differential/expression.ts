/**
 * Random expressions whose meaning SQLite shares: kinds are never mixed but for tame numbers, every divisor is kept
 * from zero, and results of arithmetic stay below 10^9, so that neither database overflows or rounds.
 */
import type { Random } from '../../../src/runtime/random.ts'
import { joined, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import type { Feature, Features } from './features.ts'
import { keyCondition } from './key-condition.ts'
import { chance, literal, pick, randomValue } from './schema.ts'
import type { Kind, Table } from './schema.ts'

/** A column that can be named. */
export interface Field {
  readonly text: Text
  readonly kind: Kind
  readonly wild: boolean
  /** Set when it is a table's column. */
  readonly owner?: Owner
}

/** A table in FROM. */
export interface Owner {
  readonly alias: string
  readonly table: Table
}

export interface Generator {
  readonly random: Random
  readonly features: Features
  tables: readonly Table[]
  /** Counts aliases up, so that every one is another. */
  alias: number
}

/** Where an expression stands: the fields of its own query, then of those around it; and how deep queries are nested. */
export interface Scope {
  readonly generator: Generator
  readonly fields: readonly Field[]
  readonly queryDepth: number
  /** Whether subqueries may stand here. */
  readonly subqueries: boolean
}

export interface Expression {
  readonly text: Text
  readonly kind: Kind
  readonly wild: boolean
  /** No absolute value of a tame number is larger. */
  readonly magnitude: number
  /** Whether it names a column at all. */
  readonly isConstant: boolean
}

const magnitudeMax = 1e9
const tameMagnitude = 1000

export const has = ({ generator }: Scope, feature: Feature): boolean => generator.features.has(feature)

export function fieldExpression({ text, kind, wild }: Field): Expression {
  return { text, kind, wild, magnitude: wild ? Infinity : tameMagnitude, isConstant: false }
}

function constant(random: Random, kind: Kind, wild: boolean): Expression {
  return { text: literal(randomValue(random, { kind, wild })), kind, wild, magnitude: wild ? Infinity : tameMagnitude, isConstant: true }
}

/** A literal that is a double by itself, beside other literals. */
function doubleConstant(scope: Scope): Expression {
  const plain = constant(scope.generator.random, 'double', false)
  return has(scope, 'cast') ? { ...plain, text: sql`CAST(${plain.text} AS DOUBLE PRECISION)` } : plain
}

/** A value of a kind; tame unless `wild` allows both. */
export function randomExpression(scope: Scope, kind: Kind, depth: number, wild: boolean): Expression {
  const { random } = scope.generator
  const fields = scope.fields.filter((field) => field.kind === kind && (wild || !field.wild))
  const makers = depth > 0 && has(scope, 'expressions') ? operations(scope, kind, depth - 1, wild) : []
  if (makers.length > 0 && chance(random, 55)) return pick(random, makers)()
  if (fields.length > 0 && chance(random, 85)) return fieldExpression(pick(random, fields))
  if (kind === 'double') return doubleConstant(scope)
  return constant(random, kind, false)
}

type Maker = () => Expression

function operations(scope: Scope, kind: Kind, depth: number, wild: boolean): readonly Maker[] {
  const general = [...(has(scope, 'case') ? [() => caseOf(scope, kind, depth, wild)] : []), ...(has(scope, 'functions') ? [() => coalesce(scope, kind, depth, wild), () => nullIf(scope, kind, depth, wild)] : []), ...(scope.subqueries && has(scope, 'scalarQuery') && scope.queryDepth < 2 ? [() => scalarQuery(scope, kind, wild)] : [])]
  switch (kind) {
    case 'int':
      return [...general, () => arithmetic(scope, 'int', depth), () => bareArithmetic(scope, 'int'), () => negated(scope, 'int', depth), ...(has(scope, 'division') ? [() => division(scope, depth)] : []), ...(has(scope, 'functions') ? [() => textLength(scope, depth), () => absolute(scope, 'int', depth)] : [])]
    case 'double':
      return [...general, () => arithmetic(scope, 'double', depth), () => bareArithmetic(scope, 'double'), () => negated(scope, 'double', depth), ...(has(scope, 'functions') ? [() => absolute(scope, 'double', depth)] : []), ...(has(scope, 'cast') ? [() => castToDouble(scope, depth)] : [])]
    case 'text':
      return [...general, ...(has(scope, 'concatenation') ? [() => concatenation(scope, depth)] : []), ...(has(scope, 'functions') ? [() => letterCase(scope, depth)] : []), ...(has(scope, 'textFunctions') ? [() => textFunction(scope, depth)] : []), ...(has(scope, 'cast') ? [() => castToText(scope, depth)] : [])]
    case 'bool':
      return [...general, () => ({ text: sql`(${randomCondition(scope, depth)})`, kind: 'bool', wild: false, magnitude: 1, isConstant: false })]
  }
}

const tame = (text: Text, kind: Kind, magnitude: number, ...of: readonly Expression[]): Expression => ({ text, kind, wild: false, magnitude, isConstant: of.every((each) => each.isConstant) })

/** Fields and literals by their precedence alone: products before sums, signs before both, all from the left. */
function bareArithmetic(scope: Scope, kind: 'int' | 'double'): Expression {
  const { random } = scope.generator
  const leaf = (): Expression => {
    const inner = randomExpression(scope, kind, 0, false)
    return chance(random, 20) ? { ...inner, text: sql`- ${inner.text}` } : inner
  }
  const parts = [leaf()]
  let text = parts[0]!.text
  let magnitude = parts[0]!.magnitude
  // A product of three is as large as it gets: the operators before and after a product are sums.
  let product = false
  for (let i = 1 + random.below(3); i > 0; i--) {
    const next = leaf()
    product = !product && chance(random, 50)
    text = sql`${text} ${product ? '*' : pick(random, ['+', '-'])} ${next.text}`
    magnitude += tameMagnitude * tameMagnitude
    parts.push(next)
  }
  if (parts.some((part) => part.magnitude > tameMagnitude)) return parts[0]!
  return tame(sql`(${text})`, kind, magnitude, ...parts)
}

function arithmetic(scope: Scope, kind: 'int' | 'double', depth: number): Expression {
  const { random } = scope.generator
  const left = randomExpression(scope, kind, depth, false)
  const right = kind === 'double' && chance(random, 30) ? randomExpression(scope, 'int', depth, false) : randomExpression(scope, kind, depth, false)
  const isProduct = chance(random, 35) && left.magnitude * right.magnitude < magnitudeMax
  const magnitude = isProduct ? left.magnitude * right.magnitude : left.magnitude + right.magnitude
  if (magnitude > magnitudeMax) return left
  return tame(sql`(${left.text} ${isProduct ? '*' : pick(random, ['+', '-'])} ${right.text})`, kind, magnitude, left, right)
}

function negated(scope: Scope, kind: 'int' | 'double', depth: number): Expression {
  const inner = randomExpression(scope, kind, depth, false)
  return tame(sql`(- ${inner.text})`, kind, inner.magnitude, inner)
}

/** Whole numbers only: a quotient of doubles is no longer exact, and would spread into sums. */
function division(scope: Scope, depth: number): Expression {
  const left = randomExpression(scope, 'int', depth, false)
  const right = randomExpression(scope, 'int', depth, false)
  const operator = pick(scope.generator.random, ['/', '%'])
  return tame(sql`(${left.text} ${operator} NULLIF(${right.text}, 0))`, 'int', Math.max(left.magnitude, right.magnitude), left, right)
}

function textLength(scope: Scope, depth: number): Expression {
  const inner = randomExpression(scope, 'text', depth, true)
  return tame(sql`LENGTH(${inner.text})`, 'int', tameMagnitude, inner)
}

function absolute(scope: Scope, kind: 'int' | 'double', depth: number): Expression {
  const inner = randomExpression(scope, kind, depth, false)
  return tame(sql`ABS(${inner.text})`, kind, inner.magnitude, inner)
}

function castToDouble(scope: Scope, depth: number): Expression {
  const inner = randomExpression(scope, 'int', depth, false)
  return tame(sql`CAST(${inner.text} AS DOUBLE PRECISION)`, 'double', inner.magnitude, inner)
}

function castToText(scope: Scope, depth: number): Expression {
  const inner = randomExpression(scope, 'int', depth, true)
  return tame(sql`CAST(${inner.text} AS TEXT)`, 'text', Infinity, inner)
}

/** Each level can double a text, so deep ones do not nest concatenations. */
function concatenation(scope: Scope, depth: number): Expression {
  const left = randomExpression(scope, 'text', Math.min(depth, 1), true)
  const right = randomExpression(scope, 'text', 0, true)
  return tame(sql`(${left.text} || ${right.text})`, 'text', Infinity, left, right)
}

function letterCase(scope: Scope, depth: number): Expression {
  const inner = randomExpression(scope, 'text', depth, true)
  return tame(sql`${pick(scope.generator.random, ['LOWER', 'UPPER'])}(${inner.text})`, 'text', Infinity, inner)
}

function textFunction(scope: Scope, depth: number): Expression {
  const { random } = scope.generator
  const inner = randomExpression(scope, 'text', depth, true)
  switch (random.below(4)) {
    case 0:
      return tame(sql`SUBSTR(${inner.text}, ${1 + random.below(5)}, ${random.below(5)})`, 'text', Infinity, inner)
    case 1:
      return tame(sql`SUBSTR(${inner.text}, ${1 + random.below(4)})`, 'text', Infinity, inner)
    case 2:
      return tame(sql`REPLACE(${inner.text}, ${literal(pick(random, ['a', 'ab', '/', '0']))}, ${literal(pick(random, ['', 'x', 'é']))})`, 'text', Infinity, inner)
    default:
      return tame(sql`TRIM(${inner.text})`, 'text', Infinity, inner)
  }
}

function caseOf(scope: Scope, kind: Kind, depth: number, wild: boolean): Expression {
  const { random } = scope.generator
  const branches = Array.from({ length: 1 + random.below(2) }, () => ({ when: randomCondition(scope, depth), result: randomExpression(scope, kind, depth, wild) }))
  const otherwise = chance(random, 60) ? randomExpression(scope, kind, depth, wild) : undefined
  const values = [...branches.map(({ result }) => result), ...(otherwise === undefined ? [] : [otherwise])]
  const parts = branches.map(({ when, result }) => sql`WHEN ${when} THEN ${result.text}`)
  return allOf(kind, values, sql`CASE ${joined(parts, ' ')}${otherwise === undefined ? '' : sql` ELSE ${otherwise.text}`} END`)
}

function coalesce(scope: Scope, kind: Kind, depth: number, wild: boolean): Expression {
  const values = Array.from({ length: 2 + scope.generator.random.below(2) }, () => randomExpression(scope, kind, depth, wild))
  return allOf(kind, values, sql`COALESCE(${joined(values.map(({ text }) => text), ', ')})`)
}

function nullIf(scope: Scope, kind: Kind, depth: number, wild: boolean): Expression {
  const values = [randomExpression(scope, kind, depth, wild), randomExpression(scope, kind, depth, wild)]
  return allOf(kind, values, sql`NULLIF(${values[0]!.text}, ${values[1]!.text})`)
}

/** An expression that gives one of several values; where a wild one is among them it may not go into arithmetic. */
function allOf(kind: Kind, values: readonly Expression[], text: Text): Expression {
  return { text, kind, wild: values.some(({ wild }) => wild), magnitude: Math.max(...values.map(({ magnitude }) => magnitude)), isConstant: values.every(({ isConstant }) => isConstant) }
}

const operators = ['=', '<>', '<', '<=', '>', '>=']

/** A condition; without the features that say otherwise a conjunction of columns beside literals. */
export function randomCondition(scope: Scope, depth: number): Text {
  const { random } = scope.generator
  if (has(scope, 'orNot') && chance(random, 20)) return sql`(${bareCondition(scope, depth)})`
  const count = chance(random, 70) ? 1 : 2 + random.below(2)
  const terms = Array.from({ length: count }, () => randomTerm(scope, depth))
  if (count === 1 || !has(scope, 'orNot') || chance(random, 50)) return joined(terms, ' AND ')
  return sql`(${joined(terms, ' OR ')})`
}

/** NOT, AND and OR by their precedence alone. */
function bareCondition(scope: Scope, depth: number): Text {
  const { random } = scope.generator
  const terms = Array.from({ length: 2 + random.below(3) }, () => {
    const term = chance(random, 12) ? pick(random, [sql`TRUE`, sql`FALSE`, sql`NULL`]) : randomTerm(scope, Math.min(depth, 1))
    return chance(random, 25) ? sql`NOT ${term}` : term
  })
  return terms.slice(1).reduce((text, term) => sql`${text} ${pick(random, ['AND', 'OR'])} ${term}`, terms[0]!)
}

function randomTerm(scope: Scope, depth: number): Text {
  const { random } = scope.generator
  const makers: (() => Text)[] = [() => compareWithLiteral(scope), () => compareWithLiteral(scope), () => nullTest(scope, 0)]
  if (has(scope, 'between')) makers.push(() => between(scope, ''))
  if (has(scope, 'notBetween')) makers.push(() => between(scope, 'NOT '))
  if (has(scope, 'in')) makers.push(() => inList(scope), () => keyCondition(scope) ?? inList(scope))
  if (has(scope, 'like')) makers.push(() => like(scope))
  if (has(scope, 'distinctFrom')) makers.push(() => distinctFrom(scope))
  if (has(scope, 'expressions') && depth > 0) makers.push(() => compareTwo(scope, depth - 1), () => compareTwo(scope, depth - 1), () => nullTest(scope, depth - 1), () => randomExpression(scope, 'bool', depth - 1, false).text)
  if (has(scope, 'orNot') && depth > 0) makers.push(() => sql`NOT (${randomCondition(scope, depth - 1)})`, () => sql`(${randomCondition(scope, depth - 1)} OR ${randomCondition(scope, depth - 1)})`)
  if (scope.subqueries && scope.queryDepth < 2) makers.push(...subqueryTerms(scope))
  return pick(random, makers)()
}

const anyField = (scope: Scope): Field => pick(scope.generator.random, scope.fields)

const literalFor = ({ generator: { random } }: Scope, field: Field): Text => literal(randomValue(random, field))

function compareWithLiteral(scope: Scope): Text {
  const { random } = scope.generator
  const field = anyField(scope)
  const [left, right] = [field.text, literalFor(scope, field)]
  return chance(random, 85) ? sql`${left} ${pick(random, operators)} ${right}` : sql`${right} ${pick(random, operators)} ${left}`
}

function nullTest(scope: Scope, depth: number): Text {
  const { random } = scope.generator
  if (depth > 0 && chance(random, 15)) return sql`${compareWithLiteral(scope)} IS ${chance(random, 50) ? 'NOT ' : ''}NULL`
  const inner = depth === 0 ? anyField(scope) : randomExpression(scope, pick(random, ['int', 'double', 'text', 'bool']), depth, true)
  return sql`${inner.text} IS ${chance(random, 50) ? 'NOT ' : ''}NULL`
}

function between(scope: Scope, not: string): Text {
  const field = anyField(scope)
  return sql`${field.text} ${not}BETWEEN ${literalFor(scope, field)} AND ${literalFor(scope, field)}`
}

function inList(scope: Scope): Text {
  const { random } = scope.generator
  const field = anyField(scope)
  const items = Array.from({ length: 1 + random.below(4) }, () => (chance(random, 8) ? sql`NULL` : literalFor(scope, field)))
  return sql`${field.text} ${chance(random, 30) ? 'NOT ' : ''}IN (${joined(items, ', ')})`
}

const patterns = ['%', '', 'a%', '%b', '%a%', '_', '__', 'a_c', '_b%', 'A%', 'customer/000_/%', '%é%', '%日_', 'customer/%/orders%', '%%', 'abc', 'ab_%d', '_😀_']

function like(scope: Scope): Text {
  const { random } = scope.generator
  const fields = scope.fields.filter(({ kind }) => kind === 'text')
  if (fields.length === 0) return compareWithLiteral(scope)
  const not = chance(random, 30) ? 'NOT ' : ''
  if (has(scope, 'likeEscape') && chance(random, 15)) return sql`${pick(random, fields).text} ${not}LIKE ${literal(pick(random, ['50!%', '!_%', 'a!_c', '%!%%']))} ESCAPE '!'`
  return sql`${pick(random, fields).text} ${not}LIKE ${literal(pick(random, patterns))}`
}

function distinctFrom(scope: Scope): Text {
  const { random } = scope.generator
  const field = anyField(scope)
  return sql`${field.text} IS ${chance(random, 50) ? 'NOT ' : ''}DISTINCT FROM ${chance(random, 20) ? sql`NULL` : literalFor(scope, field)}`
}

/** Tame numbers of both kinds meet; wild ones only their own kind, since a BIGINT beside a DOUBLE is rounded here and is not in SQLite. */
function compareTwo(scope: Scope, depth: number): Text {
  const { random } = scope.generator
  const kind = pick(random, ['int', 'double', 'text', 'bool'] as const)
  const mixed = kind === 'double' && chance(random, 30)
  const left = randomExpression(scope, kind, depth, !mixed)
  const right = randomExpression(scope, mixed ? 'int' : kind, depth, !mixed)
  return sql`${left.text} ${pick(random, operators)} ${right.text}`
}

// Subqueries

/** A table under a new alias, with its fields. */
export function aliased(generator: Generator, table: Table): { readonly text: Text; readonly fields: readonly Field[] } {
  const alias = `r${generator.alias++}`
  return { text: sql`${table.name} AS ${alias}`, fields: tableFields({ alias, table }) }
}

export function tableFields(owner: Owner): readonly Field[] {
  return owner.table.columns.map(({ name, kind, wild }) => ({ text: sql`${owner.alias}.${name}`, kind, wild, owner }))
}

interface Inner {
  readonly from: Text
  readonly fields: readonly Field[]
  readonly where: Text
}

/** FROM and WHERE of a subquery; now and then the condition names fields of the query around it. */
function innerQuery(scope: Scope, correlated: boolean): Inner {
  const { generator } = scope
  const { text, fields } = aliased(generator, pick(generator.random, generator.tables))
  const inner: Scope = { ...scope, fields, queryDepth: scope.queryDepth + 1 }
  const conditions = chance(generator.random, 60) ? [randomCondition(inner, 1)] : []
  const pairs = fields.flatMap((field) => scope.fields.filter((outer) => outer.kind === field.kind && (field.kind !== 'double')).map((outer) => [field, outer] as const))
  if (correlated && pairs.length > 0) {
    const [field, outer] = pick(generator.random, pairs)
    conditions.push(sql`${field.text} ${pick(generator.random, ['=', '=', '=', '<', '<>'])} ${outer.text}`)
    const [other, beside] = pick(generator.random, pairs)
    if (chance(generator.random, 25)) conditions.push(sql`${other.text} = ${beside.text}`)
  }
  return { from: text, fields, where: conditions.length === 0 ? sql`` : sql` WHERE ${joined(conditions, ' AND ')}` }
}

function subqueryTerms(scope: Scope): readonly (() => Text)[] {
  const { random } = scope.generator
  const correlated = has(scope, 'correlatedScalar') && chance(random, 40)
  return [...(has(scope, 'inQuery') ? [() => inQuery(scope, correlated)] : []), ...(has(scope, 'exists') ? [() => existsQuery(scope)] : [])]
}

function inQuery(scope: Scope, correlated: boolean): Text {
  const { random } = scope.generator
  const inner = innerQuery(scope, correlated)
  const pairs = inner.fields.flatMap((field) => scope.fields.filter((outer) => outer.kind === field.kind).map((outer) => [outer, field] as const))
  if (pairs.length === 0) return existsQuery(scope)
  const [outer, field] = pick(random, pairs)
  return sql`${outer.text} ${chance(random, 35) ? 'NOT ' : ''}IN (SELECT ${field.text} FROM ${inner.from}${inner.where})`
}

function existsQuery(scope: Scope): Text {
  const { random } = scope.generator
  if (!has(scope, 'exists')) return compareWithLiteral(scope)
  const inner = innerQuery(scope, chance(random, 80))
  return sql`${chance(random, 35) ? 'NOT ' : ''}EXISTS (SELECT ${pick(random, [sql`1`, inner.fields[0]!.text])} FROM ${inner.from}${inner.where})`
}

/** One row always: an aggregate. */
function scalarQuery(scope: Scope, kind: Kind, wild: boolean): Expression {
  const { random } = scope.generator
  const inner = innerQuery(scope, has(scope, 'correlatedScalar') && chance(random, 50))
  const fields = inner.fields.filter((field) => field.kind === kind && kind !== 'bool' && (wild || !field.wild))
  if (fields.length === 0) return kind === 'int' ? { text: sql`(SELECT COUNT(*) FROM ${inner.from}${inner.where})`, kind, wild: false, magnitude: tameMagnitude, isConstant: false } : randomExpression(scope, kind, 0, wild)
  const field = pick(random, fields)
  if (kind === 'int' && chance(random, 40)) return { text: sql`(SELECT COUNT(${field.text}) + 1 FROM ${inner.from}${inner.where})`, kind, wild: false, magnitude: tameMagnitude, isConstant: false }
  return { ...fieldExpression(field), text: sql`(SELECT ${pick(random, ['MIN', 'MAX'])}(${field.text}) FROM ${inner.from}${inner.where})` }
}

