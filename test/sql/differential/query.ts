/** Random queries, each with what its ORDER BY decides. */
import { joined, nothing, sql } from './dialect.ts'
import type { Text } from './dialect.ts'
import { keyCondition } from './key-condition.ts'
import type { RowOrder } from './compare-answers.ts'
import { aliased, has, randomCondition, randomExpression, tableFields } from './expression.ts'
import type { Field, Generator, Scope } from './expression.ts'
import { chance, pick } from './schema.ts'
import type { Kind, Table } from './schema.ts'

export interface RandomQuery {
  readonly text: Text
  readonly order: RowOrder | undefined
}

interface Source {
  /** WITH, before the query. */
  readonly before?: Text
  readonly text: Text
  readonly fields: readonly Field[]
  /** Set when it is one table and nothing else. */
  readonly table: Table | undefined
}

interface Item {
  readonly text: Text
  readonly kind: Kind
  /** Sums of many doubles and averages differ in the last digits: nothing may be ordered by them. */
  readonly exact: boolean
}

interface Block {
  readonly select: Text
  readonly items: readonly Item[]
  /** What follows FROM, up to ORDER BY. */
  readonly rest: Text
}

const kinds: readonly Kind[] = ['int', 'double', 'text', 'bool']

export function randomQuery(generator: Generator): RandomQuery {
  const { random, features } = generator
  if (features.has('setOperations') && chance(random, 8)) return setQuery(generator)
  const source = features.has('common') && chance(random, 8) ? commonSource(generator) : randomSource(generator, 0)
  const scope: Scope = { generator, fields: source.fields, queryDepth: 0, subqueries: true }
  const where = chance(random, 70) ? sql` WHERE ${topCondition(scope)}` : nothing
  const block = randomBlock(scope, sql`${source.text}${where}`)
  const text = sql`${source.before ?? nothing}${block.select} FROM ${block.rest}`
  return withOrder(generator, text, block, source)
}

function topCondition(scope: Scope): Text {
  const found = chance(scope.generator.random, 25) ? keyCondition(scope) : undefined
  if (found === undefined) return randomCondition(scope, 2)
  return chance(scope.generator.random, 60) ? found : sql`${found} AND ${randomCondition(scope, 1)}`
}

function randomBlock(scope: Scope, rest: Text): Block {
  const { random, features } = scope.generator
  if (features.has('groupBy') && chance(random, 30)) return groupedBlock(scope, rest)
  if (chance(random, 18)) return block('SELECT', aggregates(scope, 1 + random.below(3)), rest)
  const distinct = features.has('distinct') && chance(random, 12)
  return block(distinct ? 'SELECT DISTINCT' : 'SELECT', plainItems(scope), rest)
}

const block = (select: string, items: readonly Item[], rest: Text): Block => ({ select: sql`${select} ${joined(items.map(({ text }) => text), ', ')}`, items, rest })

function plainItems(scope: Scope): readonly Item[] {
  const { random } = scope.generator
  return Array.from({ length: 1 + random.below(4) }, () => {
    if (has(scope, 'expressions') && chance(random, 50)) return { ...randomExpression(scope, pick(random, kinds), 2, true), exact: true }
    return { ...pick(random, scope.fields), exact: true }
  })
}

function aggregates(scope: Scope, count: number): readonly Item[] {
  return Array.from({ length: count }, () => aggregate(scope))
}

function aggregate(scope: Scope): Item {
  const { random } = scope.generator
  const makers: (() => Item)[] = [() => ({ text: sql`COUNT(*)`, kind: 'int', exact: true }), () => count(scope, ''), () => sum(scope), () => extreme(scope), () => extreme(scope)]
  if (has(scope, 'countDistinct')) makers.push(() => count(scope, 'DISTINCT '))
  if (has(scope, 'avg')) makers.push(() => ({ text: sql`AVG(${tameArgument(scope)?.text ?? '1'})`, kind: 'double', exact: false }))
  const made = pick(random, makers)()
  return has(scope, 'filter') && chance(random, 15) ? { ...made, text: sql`${made.text} FILTER (WHERE ${randomCondition({ ...scope, subqueries: false }, 1)})` } : made
}

function count(scope: Scope, distinct: string): Item {
  return { text: sql`COUNT(${distinct}${argumentOf(scope, pick(scope.generator.random, scope.fields)).text})`, kind: 'int', exact: true }
}

/** The field, or an expression of its kind where aggregates take them. */
function argumentOf(scope: Scope, field: Field): Field {
  return has(scope, 'aggregateExpression') && chance(scope.generator.random, 35) ? randomExpression({ ...scope, subqueries: false }, field.kind, 2, true) : field
}

/** A tame number: a field, or an expression where aggregates take them. */
function tameArgument(scope: Scope): Field | undefined {
  const { random } = scope.generator
  const fields = scope.fields.filter(({ kind, wild }) => !wild && (kind === 'int' || kind === 'double'))
  if (has(scope, 'aggregateExpression') && chance(random, 40)) return randomExpression({ ...scope, subqueries: false }, pick(random, ['int', 'double'] as const), 2, false)
  return fields.length === 0 ? undefined : pick(random, fields)
}

function sum(scope: Scope): Item {
  const argument = tameArgument(scope)
  return argument === undefined ? count(scope, '') : { text: sql`SUM(${argument.text})`, kind: argument.kind, exact: true }
}

function extreme(scope: Scope): Item {
  const { random } = scope.generator
  const fields = scope.fields.filter(({ kind }) => kind !== 'bool')
  if (fields.length === 0) return count(scope, '')
  const field = argumentOf(scope, pick(random, fields))
  return { text: sql`${pick(random, ['MIN', 'MAX'])}(${field.text})`, kind: field.kind, exact: true }
}

function groupedBlock(scope: Scope, rest: Text): Block {
  const { random } = scope.generator
  const keys: Item[] = Array.from({ length: 1 + random.below(2) }, () => ({ ...pick(random, scope.fields), exact: true }))
  const items = [...keys.filter(() => chance(random, 85)), ...aggregates(scope, random.below(3))]
  if (items.length === 0) items.push({ text: sql`COUNT(*)`, kind: 'int', exact: true })
  if (has(scope, 'groupByExpression') && chance(random, 30)) return groupedByExpression(scope, rest, keys)
  const having = has(scope, 'having') && chance(random, 30) ? sql` HAVING ${havingCondition(scope, keys)}` : nothing
  return block('SELECT', items, sql`${rest} GROUP BY ${joined(keys.map(({ text }) => text), ', ')}${having}`)
}

/** Grouped by output columns' numbers, which are expressions that name a column. */
function groupedByExpression(scope: Scope, rest: Text, otherwise: readonly Item[]): Block {
  const { random } = scope.generator
  const keys = otherwise.map((item, index): Item => {
    const expression = randomExpression({ ...scope, subqueries: false }, pick(random, kinds), 2, true)
    return expression.isConstant || (index > 0 && chance(random, 50)) ? item : { ...expression, exact: true }
  })
  return block('SELECT', [...keys, ...aggregates(scope, 1 + random.below(2))], sql`${rest} GROUP BY ${keys.map((_, index) => index + 1).join(', ')}`)
}

function havingCondition(scope: Scope, keys: readonly Item[]): Text {
  const { random } = scope.generator
  const term = (): Text => {
    if (chance(random, 15)) return sql`${pick(random, keys).text} IS ${pick(random, ['NULL', 'NOT NULL'])}`
    if (chance(random, 60)) return sql`COUNT(*) ${pick(random, ['>', '<', '=', '<>', '>='])} ${random.below(6)}`
    const argument = tameArgument(scope)
    return argument === undefined ? sql`COUNT(*) > 1` : sql`${pick(random, has(scope, 'avg') ? ['SUM', 'MIN', 'MAX', 'AVG'] : ['SUM', 'MIN', 'MAX'])}(${argument.text}) ${pick(random, ['>', '<'])} ${random.below(40) - 20}`
  }
  return chance(random, 75) ? term() : sql`${term()} ${has(scope, 'orNot') ? pick(random, ['AND', 'OR']) : 'AND'} ${term()}`
}

// FROM

function randomSource(generator: Generator, depth: number): Source {
  const { random, features } = generator
  const canJoin = features.has('join')
  if (features.has('fromQuery') && depth === 0 && chance(random, 8)) return fromQuery(generator)
  if (canJoin && chance(random, 22)) return joinedSource(generator)
  const table = pick(random, generator.tables)
  if (chance(random, 75)) return { text: sql`${table.name}`, fields: tableFields({ alias: table.name, table }), table }
  return { ...aliased(generator, table), table: undefined }
}

const rowsMax = 8_000

function joinedSource(generator: Generator): Source {
  const { random, features } = generator
  let rows = 1
  let text: Text = nothing
  let fields: readonly Field[] = []
  for (let i = 0; i < 2 + (chance(random, 25) ? 1 : 0); i++) {
    const table = pick(random, generator.tables)
    if (i > 0 && rows * table.rows.length > rowsMax) break
    rows *= Math.max(table.rows.length, 1)
    const right = aliased(generator, table)
    if (i === 0) {
      ;({ text, fields } = right)
      continue
    }
    const on = joinCondition(generator, fields, right.fields, table)
    const form = random.below(10)
    fields = [...fields, ...right.fields]
    if (form < 2 && features.has('crossJoin')) text = sql`${text} CROSS JOIN ${right.text}`
    else if (form < 7 && features.has('leftJoin')) text = sql`${text} ${outerJoin(generator)} JOIN ${right.text} ON ${on}`
    else text = sql`${text} JOIN ${right.text} ON ${on}`
  }
  return { text, fields, table: undefined }
}

function outerJoin({ random, features }: Generator): string {
  return pick(random, ['LEFT', ...(features.has('rightJoin') ? ['RIGHT'] : []), ...(features.has('fullJoin') ? ['FULL'] : [])])
}

function joinCondition(generator: Generator, left: readonly Field[], right: readonly Field[], table: Table): Text {
  const { random } = generator
  const keyed = chance(random, 35) ? joinByKey(generator, left, right, table) : undefined
  if (keyed !== undefined) return keyed
  const pairs = left.flatMap((one) => right.filter((other) => other.kind === one.kind).map((other) => [one, other] as const))
  const scope: Scope = { generator, fields: [...left, ...right], queryDepth: 0, subqueries: generator.features.has('onQuery') && chance(random, 40) }
  if (pairs.length === 0) return randomCondition(scope, 1)
  const [one, other] = pick(random, pairs)
  const equal = sql`${one.text} ${chance(random, 85) ? '=' : pick(random, ['<', '<>'])} ${other.text}`
  return chance(random, 30) ? sql`${equal} AND ${randomCondition(scope, 1)}` : equal
}

/** Every column of the table's key equals one of the other side: its rows can be looked up. */
function joinByKey({ random }: Generator, left: readonly Field[], right: readonly Field[], { key }: Table): Text | undefined {
  const parts = key.map((position) => {
    const others = left.filter(({ kind }) => kind === right[position]!.kind)
    return others.length === 0 ? undefined : sql`${right[position]!.text} = ${pick(random, others).text}`
  })
  return parts.length === 0 || parts.includes(undefined) ? undefined : joined(parts as Text[], ' AND ')
}

function fromQuery(generator: Generator): Source {
  const alias = `r${generator.alias++}`
  const { text, fieldsOf } = namedColumns(generator, randomSource(generator, 1))
  return { text: sql`(${text}) AS ${alias}`, fields: fieldsOf(alias), table: undefined }
}

/** A query with its columns named, and what they are called where it is a table. */
function namedColumns(generator: Generator, source: Source): { readonly text: Text; readonly fieldsOf: (alias: string) => readonly Field[] } {
  const { random } = generator
  const scope: Scope = { generator, fields: source.fields, queryDepth: 1, subqueries: true }
  const items = Array.from({ length: 1 + random.below(3) }, (_, i) => ({ ...(has(scope, 'expressions') ? randomExpression(scope, pick(random, kinds), 1, true) : pick(random, source.fields)), name: `c${i}` }))
  const where = chance(random, 60) ? sql` WHERE ${randomCondition(scope, 1)}` : nothing
  const text = sql`SELECT ${joined(items.map((item) => sql`${item.text} AS ${item.name}`), ', ')} FROM ${source.text}${where}`
  // What an expression gives may be larger than a column's tame values, and goes into no arithmetic.
  return { text, fieldsOf: (alias) => items.map(({ name, kind }) => ({ text: sql`${alias}.${name}`, kind, wild: true })) }
}

/** A query of WITH, named once or twice, or in a condition as well. */
function commonSource(generator: Generator): Source {
  const { random } = generator
  const table = pick(random, generator.tables)
  const name = `w${generator.alias++}`
  const { text, fieldsOf } = namedColumns(generator, { ...aliased(generator, table), table: undefined })
  const before = sql`WITH ${name} AS ${pick(random, ['', '', 'MATERIALIZED ', 'NOT MATERIALIZED '])}(${text}) `
  const left = `r${generator.alias++}`
  const right = `r${generator.alias++}`
  const fields = [...fieldsOf(left), ...fieldsOf(right)]
  const form = table.rows.length ** 2 > rowsMax ? 0 : random.below(3)
  if (form === 0) return { before, text: sql`${name} AS ${left}`, fields: fieldsOf(left), table: undefined }
  if (form === 1) return { before, text: sql`${name} AS ${left} ${outerJoin(generator)} JOIN ${name} AS ${right} ON ${left}.c0 = ${right}.c0`, fields, table: undefined }
  return { before, text: sql`(SELECT * FROM ${name} WHERE c0 IN (SELECT c0 FROM ${name})) AS ${left} CROSS JOIN ${name} AS ${right}`, fields, table: undefined }
}

// UNION, INTERSECT, EXCEPT

function setQuery(generator: Generator): RandomQuery {
  const { random, features } = generator
  const shape = Array.from({ length: 1 + random.below(3) }, () => pick(random, kinds))
  const side = (): Text => {
    const source = randomSource(generator, 1)
    const scope: Scope = { generator, fields: source.fields, queryDepth: 1, subqueries: true }
    const items = shape.map((kind) => sideItem(scope, kind))
    const where = chance(random, 60) ? sql` WHERE ${randomCondition(scope, 1)}` : nothing
    return sql`SELECT ${joined(items, ', ')} FROM ${source.text}${where}`
  }
  const operators = features.has('intersectExcept') ? ['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'] : ['UNION', 'UNION ALL']
  const text = sql`${side()} ${pick(random, operators)} ${side()}`
  const items = shape.map((kind) => ({ text: nothing, kind, exact: true }))
  return withOrder(generator, text, { select: nothing, items, rest: nothing }, { text: nothing, fields: [], table: undefined })
}

function sideItem(scope: Scope, kind: Kind): Text {
  const { random } = scope.generator
  const fields = scope.fields.filter((field) => field.kind === kind)
  if (fields.length > 0 && !(has(scope, 'expressions') && chance(random, 40))) return pick(random, fields).text
  return randomExpression(scope, kind, 1, true).text
}

// ORDER BY, LIMIT, OFFSET

function withOrder(generator: Generator, text: Text, { items }: Block, { table }: Source): RandomQuery {
  const { random, features } = generator
  if (chance(random, 45)) return { text, order: undefined }
  if (features.has('orderByAny')) return withAnyOrder(generator, text, items)
  return table === undefined ? { text, order: undefined } : withKeyOrder(generator, text, table)
}

/** By output columns' numbers; with all of them the order is total, and LIMIT decides which rows come. Otherwise a LIMIT leaves open which of the equal ones at its end do. */
function withAnyOrder(generator: Generator, text: Text, items: readonly Item[]): RandomQuery {
  const { random } = generator
  const exact = items.flatMap(({ exact: isExact }, position) => (isExact ? [position] : []))
  if (exact.length === 0) return { text, order: undefined }
  const isTotal = exact.length === items.length && chance(random, 60)
  const positions = isTotal ? shuffled(generator, exact) : [pick(random, exact)]
  const ordered = sql`${text} ORDER BY ${joined(positions.map((position) => orderKey(generator, position)), ', ')}`
  const isLimited = chance(random, isTotal ? 50 : 30)
  return { text: isLimited ? sql`${ordered}${limit(generator)}` : ordered, order: { positions, total: isTotal, cut: isLimited && !isTotal } }
}

/** Where NULLs go is written out for SQLite, whose default is the other one. */
function orderKey({ random }: Generator, position: number): Text {
  const descending = chance(random, 40)
  const direction = descending ? 'DESC' : pick(random, ['', 'ASC'])
  const nullsLast = chance(random, 30) ? chance(random, 50) : undefined
  const place = (last: boolean): string => `NULLS ${last ? 'LAST' : 'FIRST'}`
  return { lsmt: `${position + 1} ${direction}${nullsLast === undefined ? '' : ` ${place(nullsLast)}`}`, sqlite: `${position + 1} ${direction} ${place(nullsLast ?? !descending)}` }
}

function shuffled(generator: Generator, positions: readonly number[]): number[] {
  return positions.map((position) => [generator.random.nextU32(), position] as const).toSorted(([a], [b]) => a - b).map(([, position]) => position)
}

/** By the primary key, which is the order that rows are kept in. */
function withKeyOrder(generator: Generator, text: Text, table: Table): RandomQuery {
  const { random } = generator
  if (table.key.length === 0 || /(COUNT|SUM|MIN|MAX|AVG)\(|DISTINCT|GROUP BY/.test(text.lsmt)) return { text, order: undefined }
  const direction = chance(random, 40) ? ' DESC' : ''
  const keys = table.key.map((position) => sql`${table.name}.${table.columns[position]!.name}${direction}`)
  const ordered = sql`${text} ORDER BY ${joined(keys, ', ')}`
  return { text: chance(random, 50) ? sql`${ordered}${limit(generator)}` : ordered, order: { positions: [], total: true } }
}

function limit({ random }: Generator): Text {
  const count = pick(random, [0, 1, 2, 3, 5, 10, 50, 1000])
  return chance(random, 30) ? sql` LIMIT ${count} OFFSET ${pick(random, [0, 1, 2, 7, 100])}` : sql` LIMIT ${count}`
}
