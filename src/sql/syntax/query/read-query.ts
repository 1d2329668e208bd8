/** The parser's nodes to queries. */
import type { Operand } from '../../operand.ts'
import { isNode, nodes, only, readName, readOptionalName, textIn, tokenIndexOf, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'
import type { CommonTable, OrderKey, Query, QueryBody, QueryItem, SelectBlock, SetOperation } from './query.ts'
import { readCount, readExpression } from './read-expression.ts'
import type { Reader } from './read-expression.ts'
import { readFrom } from './read-from.ts'

export function readSelect(reading: Reading, node: SyntaxNode): Query {
  const reader: Reader = { reading, query: (inner) => readWhole(reader, inner), depth: 0 }
  return readWhole(reader, node)
}

const known = ['type', 'columns', 'from', 'where', 'groupby', 'having', 'orderby', 'limit', 'distinct', 'with', '_next', 'set_op', '_orderby', '_limit', 'parentheses_symbol', 'tableList', 'columnList']

/** A chain of set operations is a list: ORDER BY and LIMIT after it stand in its last or in its first node. */
function readWhole(reader: Reader, node: SyntaxNode): Query {
  const { reading } = reader
  const members: SyntaxNode[] = []
  for (let next: unknown = node; isNode(next); next = next['_next']) members.push(next)
  for (const member of members) only(reading, member, 'SELECT', known)
  const last = members.at(-1)!
  const outer = members.length > 1 && last['parentheses_symbol'] !== true ? last : undefined
  const bodies = members.map((member) => readMember(reader, member, member === outer || members.length === 1))
  const [orderby, limit] = isNode(node['_limit']) || Array.isArray(node['_orderby']) ? [node['_orderby'], node['_limit']] : members.length === 1 && node['parentheses_symbol'] !== true ? [node['orderby'], node['limit']] : outer === undefined ? [undefined, undefined] : [outer['orderby'], outer['limit']]
  if (members.length === 1 && node['parentheses_symbol'] === true && orderby === undefined) return { kind: 'query', with: readWith(reader, node), body: bodies[0]!, orderBy: readOrder(reader, node['orderby']), ...readLimit(reader, node['limit']) }
  return { kind: 'query', with: readWith(reader, node), body: combined(reader, members, bodies), orderBy: readOrder(reader, orderby), ...readLimit(reader, limit) }
}

/** `bare`: ORDER BY and LIMIT of the node belong to the whole. */
function readMember(reader: Reader, node: SyntaxNode, bare: boolean): QueryBody {
  if (node['type'] !== 'select') throw unsupported(reader.reading, node, 'this query')
  const block = readBlock(reader, node)
  if (bare || (!isNode(node['limit']) && !Array.isArray(node['orderby']))) return block
  return { kind: 'query', with: [], body: block, orderBy: readOrder(reader, node['orderby']), ...readLimit(reader, node['limit']) }
}

/** INTERSECT binds more strongly than UNION and EXCEPT, which go from left to right. */
function combined({ reading }: Reader, members: readonly SyntaxNode[], bodies: readonly QueryBody[]): QueryBody {
  const join = (left: QueryBody, right: QueryBody, member: SyntaxNode): QueryBody => {
    const found = /^(union|intersect|except)( all| distinct)?$/.exec(textIn(member, 'set_op').toLowerCase())
    if (found === null) throw unsupported(reading, member, textIn(member, 'set_op').toUpperCase())
    return { kind: 'set', operator: found[1] as SetOperation['operator'], all: found[2] === ' all', left, right, at: tokenIndexOf(reading, member) }
  }
  const isStrong = (member: SyntaxNode): boolean => textIn(member, 'set_op').toLowerCase().startsWith('intersect')
  const weak: { body: QueryBody; readonly before: SyntaxNode | undefined }[] = []
  for (const [index, body] of bodies.entries()) {
    const before = members[index - 1]
    const last = weak.at(-1)
    if (before !== undefined && last !== undefined && isStrong(before)) last.body = join(last.body, body, before)
    else weak.push({ body, before })
  }
  return weak.slice(1).reduce((left, { body, before }) => join(left, body, before!), weak[0]!.body)
}

function readWith(reader: Reader, node: SyntaxNode): readonly CommonTable[] {
  if (node['with'] === null || node['with'] === undefined) return []
  return nodes(node['with']).map((each) => {
    only(reader.reading, each, 'WITH', ['name', 'stmt', 'columns'])
    const { stmt } = each
    const ast = isNode(stmt) && isNode(stmt['ast']) ? stmt['ast'] : stmt
    if (!isNode(ast) || ast['type'] !== 'select') throw unsupported(reader.reading, each, 'WITH of anything but a query')
    const columns = Array.isArray(each['columns']) ? nodes(each['columns']).map((column) => readName(reader.reading, isNode(column['column']) ? column['column']['expr'] : column)) : undefined
    return { name: readName(reader.reading, each['name']), columns, query: reader.query(ast) }
  })
}

function readBlock(reader: Reader, node: SyntaxNode): SelectBlock {
  const { reading } = reader
  const { distinct, groupby, having, where, from } = node
  if (isNode(distinct) && Array.isArray(distinct['columns']) && distinct['columns'].length > 0) throw unsupported(reading, node, 'DISTINCT ON')
  const groups = isNode(groupby) ? groupby['columns'] : undefined
  return {
    kind: 'select',
    distinct: isNode(distinct) && distinct['type'] === 'DISTINCT',
    items: nodes(node['columns']).map((item) => readItem(reader, item)),
    from: Array.isArray(from) && from.length > 0 ? readFrom(reader, nodes(from)) : undefined,
    where: isNode(where) ? readExpression(reader, where) : undefined,
    groupBy: Array.isArray(groups) ? nodes(groups).map((key) => readExpression(reader, key)) : [],
    having: isNode(having) ? readExpression(reader, having) : undefined,
    at: tokenIndexOf(reading, node),
  }
}

function readItem(reader: Reader, item: SyntaxNode): QueryItem {
  const { reading } = reader
  if (item['type'] === 'cast') return { kind: 'expression', expression: readExpression(reader, item), alias: readOptionalName(reading, item['as']) }
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

/** LIMIT and OFFSET in either order; `LIMIT ALL` is no limit. */
function readLimit(reader: Reader, limit: unknown): { limit: Operand | undefined; offset: Operand | undefined } {
  const none = { limit: undefined, offset: undefined }
  if (!isNode(limit)) return none
  only(reader.reading, limit, 'LIMIT', ['seperator', 'value'])
  const [first, second] = nodes(limit['value'])
  if (first === undefined) return none
  const count = first['type'] === 'origin' ? undefined : readCount(reader, first)
  if (limit['seperator'] === '') return { ...none, limit: count }
  if (limit['seperator'] !== 'offset') throw unsupported(reader.reading, limit, 'this form of LIMIT')
  if (second === undefined) return { ...none, offset: count }
  return { limit: count, offset: readCount(reader, second) }
}
