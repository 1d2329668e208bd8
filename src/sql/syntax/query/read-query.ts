/** Parts of a statement that are queries, and the parser's trees of them, to queries. */
import type { Operand } from '../../operand.ts'
import { errorAt } from '../../origin.ts'
import type { Meaning, Part, SetStep } from '../cut/part.ts'
import { isNode, nodes, only, openPart, partOf, readName, readOptionalName, textIn, tokenIndexOf, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'
import type { CommonTable, OrderKey, Query, QueryBody, QueryItem, SelectBlock, ValuesBlock } from './query.ts'
import { readCount, readExpression } from './read-expression.ts'
import type { Reader } from './read-expression.ts'
import { readFrom } from './read-from.ts'

export function readQuery(reading: Reading, node: SyntaxNode, part: Part): Query {
  return readWhole({ reading, query: readInner, common: new Map(), depth: 0 }, part, node)
}

function readInner(reader: Reader, part: Part): Query {
  const { node, reading } = openPart(reader.reading, part)
  return readWhole({ ...reader, reading, depth: 0 }, part, node)
}

function partIn(reading: Reading, item: SyntaxNode | undefined): Part {
  const part = partOf(reading, item?.['expr'])
  if (part === undefined) throw unsupported(reading, item ?? {}, 'this query')
  return part
}

const known = ['type', 'columns', 'from', 'where', 'groupby', 'having', 'orderby', 'limit', 'distinct', 'with']

function readWhole(outside: Reader, { meaning, start }: Part, node: SyntaxNode): Query {
  if (node['type'] !== 'select') throw unsupported(outside.reading, node, 'this query')
  only(outside.reading, node, 'SELECT', known)
  const { tables, reader } = readWith(outside, node)
  return { kind: 'query', with: tables, body: readBody(reader, meaning, node, start), orderBy: readOrder(reader, node['orderby']), ...readLimit(reader, node['limit']) }
}

function readBody(reader: Reader, meaning: Meaning, node: SyntaxNode, at: number): QueryBody {
  if (meaning.kind === 'set') return combined(meaning.steps, nodes(node['columns']).map((item) => simplified(readInner(reader, partIn(reader.reading, item)))))
  return meaning.kind === 'values' ? readValues(reader, meaning.widths, node, at) : readBlock(reader, node, at)
}

/** A query that is nothing but its body. */
function simplified(query: Query): QueryBody {
  return query.with.length === 0 && query.orderBy.length === 0 && query.limit === undefined && query.offset === undefined ? query.body : query
}

/** INTERSECT binds more strongly than UNION and EXCEPT, which go from left to right. */
function combined(steps: readonly SetStep[], bodies: readonly QueryBody[]): QueryBody {
  const join = (left: QueryBody, right: QueryBody, { operator, all, at }: SetStep): QueryBody => ({ kind: 'set', operator, all, left, right, at })
  const weak: { body: QueryBody; readonly before: SetStep | undefined }[] = [{ body: bodies[0]!, before: undefined }]
  for (const [index, step] of steps.entries()) {
    const last = weak.at(-1)!
    const body = bodies[index + 1]!
    if (step.operator === 'intersect') last.body = join(last.body, body, step)
    else weak.push({ body, before: step })
  }
  return weak.slice(1).reduce((left, { body, before }) => join(left, body, before!), weak[0]!.body)
}

function readValues(reader: Reader, widths: readonly number[], node: SyntaxNode, at: number): ValuesBlock {
  const values = nodes(node['columns']).map(({ expr }) => readExpression(reader, expr))
  let end = 0
  return { kind: 'values', tuples: widths.map((width) => values.slice(end, (end += width))), at }
}

/** The queries of WITH, each of which sees those before it, and a reader for what sees all of them. */
function readWith(outside: Reader, node: SyntaxNode): { readonly tables: readonly CommonTable[]; readonly reader: Reader } {
  if (node['with'] === null || node['with'] === undefined) return { tables: [], reader: outside }
  const tables: CommonTable[] = []
  let reader = outside
  for (const each of nodes(node['with'])) {
    const table = readCommon(reader, each)
    const { name, tokenIndex } = table.name
    if (tables.some((other) => other.name.name === name)) throw errorAt(reader.reading.origin, tokenIndex, '42712', `"${name}" stands twice in WITH`)
    tables.push(table)
    reader = { ...reader, common: new Map([...reader.common, [name, table]]) }
  }
  return { tables, reader }
}

function readCommon(reader: Reader, each: SyntaxNode): CommonTable {
  only(reader.reading, each, 'WITH', ['name', 'stmt', 'columns'])
  const { stmt } = each
  const inner = isNode(stmt) && isNode(stmt['ast']) ? stmt['ast'] : stmt
  const columns = Array.isArray(each['columns']) ? nodes(each['columns']).map((column) => readName(reader.reading, isNode(column['column']) ? column['column']['expr'] : column)) : undefined
  const name = readName(reader.reading, each['name'])
  const part = partIn(reader.reading, isNode(inner) ? nodes(inner['columns'])[0] : undefined)
  if (part.meaning.kind !== 'common') return { name, columns, materialized: undefined, query: readInner(reader, part), references: 0 }
  const { node, reading } = openPart(reader.reading, part)
  return { name, columns, materialized: part.meaning.materialized, query: readInner({ ...reader, reading }, partIn(reading, nodes(node['columns'])[0])), references: 0 }
}

function readBlock(reader: Reader, node: SyntaxNode, at: number): SelectBlock {
  const { distinct, groupby, having, where, from } = node
  const groups = isNode(groupby) ? groupby['columns'] : undefined
  return {
    kind: 'select',
    distinct: isNode(distinct) && distinct['type'] === 'DISTINCT',
    items: nodes(node['columns']).map((item) => readItem(reader, item)),
    from: Array.isArray(from) && from.length > 0 ? readFrom(reader, nodes(from)) : undefined,
    where: isNode(where) ? readExpression(reader, where) : undefined,
    groupBy: Array.isArray(groups) ? nodes(groups).map((key) => readExpression(reader, key)) : [],
    having: isNode(having) ? readExpression(reader, having) : undefined,
    at,
  }
}

function readItem(reader: Reader, item: SyntaxNode): QueryItem {
  const { reading } = reader
  only(reading, item, 'the select list', ['type', 'expr', 'as'])
  const { expr } = item
  if (isNode(expr) && expr['type'] === 'column_ref' && expr['column'] === '*') return { kind: 'star', table: readOptionalName(reading, expr['table']), at: tokenIndexOf(reading, expr) }
  return { kind: 'expression', expression: readExpression(reader, expr), alias: readOptionalName(reading, item['as']) }
}

function readOrder(reader: Reader, orderby: unknown): readonly OrderKey[] {
  if (!Array.isArray(orderby)) return []
  return nodes(orderby).map((item) => {
    only(reader.reading, item, 'ORDER BY', ['expr', 'type', 'nulls'])
    const descending = item['type'] === 'DESC'
    const nulls = textIn(item, 'nulls').toUpperCase()
    return { expression: readExpression(reader, item['expr']), descending, nullsFirst: nulls === '' ? descending : nulls === 'NULLS FIRST' }
  })
}

function readLimit(reader: Reader, limit: unknown): { limit: Operand | undefined; offset: Operand | undefined } {
  const none = { limit: undefined, offset: undefined }
  if (!isNode(limit)) return none
  only(reader.reading, limit, 'LIMIT', ['seperator', 'value'])
  const [first, second] = nodes(limit['value'])
  if (first === undefined) return none
  const count = readCount(reader, first)
  if (limit['seperator'] === '') return { ...none, limit: count }
  if (limit['seperator'] !== 'offset') throw unsupported(reader.reading, limit, 'this form of LIMIT')
  return second === undefined ? { ...none, offset: count } : { limit: count, offset: readCount(reader, second) }
}
