/** FROM: the parser's list of tables, each with how it joins those before it. */
import type { Name } from '../names.ts'
import { isNode, nodes, only, readName, openPart, partOf, readOptionalName, takePart, textIn, tokenIndexOf, unsupported } from '../syntax-node.ts'
import type { SyntaxNode } from '../syntax-node.ts'
import type { FromItem } from './query.ts'
import { readExpression } from './read-expression.ts'
import type { Reader } from './read-expression.ts'

export function readFrom(reader: Reader, items: readonly SyntaxNode[]): FromItem {
  const [first, ...more] = items
  if (first === undefined) throw unsupported(reader.reading, {}, 'an empty FROM')
  return more.reduce<FromItem>((left, item) => readJoin(reader, left, item), readItem(reader, first))
}

const joins: Readonly<Record<string, Extract<FromItem, { kind: 'join' }>['join']>> = { '': 'cross', 'INNER JOIN': 'inner', 'LEFT JOIN': 'left', 'RIGHT JOIN': 'right', 'FULL JOIN': 'full', 'CROSS JOIN': 'cross' }

function readJoin(reader: Reader, left: FromItem, item: SyntaxNode): FromItem {
  const { reading } = reader
  const word = textIn(item, 'join')
  const join = joins[word]
  const at = tokenIndexOf(reading, item)
  if (join === undefined) throw unsupported(reading, item, word)
  const right = readItem(reader, item)
  const condition = partOf(reading, item['on'])
  if (condition?.meaning.kind === 'natural') {
    takePart(reading, condition)
    return { kind: 'join', join, left, right, on: undefined, using: 'natural', at: condition.start }
  }
  const on = isNode(item['on']) ? readExpression(reader, item['on']) : undefined
  const using = Array.isArray(item['using']) ? nodes(item['using']).map((name): Name => readName(reading, name)) : undefined
  if (join !== 'cross' && on === undefined && using === undefined) throw unsupported(reading, item, `${word} without ON or USING`)
  return { kind: 'join', join: join === 'cross' && on !== undefined ? 'inner' : join, left, right, on, using, at }
}

function readItem(reader: Reader, item: SyntaxNode): FromItem {
  const { reading } = reader
  only(reading, item, 'FROM', ['table', 'as', 'addition', 'join', 'on', 'using', 'prefix'])
  const alias = readOptionalName(reading, item['as'])
  const columns = alias === undefined ? undefined : reading.source.columnsOf.get(alias.tokenIndex)
  const part = partOf(reading, item['table'])
  if (part === undefined) return readTable(reader, readName(reading, item['table']), alias, columns)
  if (part.meaning.kind === 'from') {
    const { node, reading: inner } = openPart(reading, part)
    return readFrom({ ...reader, reading: inner }, nodes(node['from']))
  }
  return { kind: 'query', query: reader.query(reader, part), alias: alias ?? { name: '', tokenIndex: part.start }, columns }
}

function readTable({ common }: Reader, name: Name, alias: Name | undefined, columns: readonly Name[] | undefined): FromItem {
  const table = common.get(name.name)
  if (table !== undefined) table.references++
  return { kind: 'table', name, common: table, alias, columns }
}
