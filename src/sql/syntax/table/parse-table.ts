/** CREATE TABLE and DROP TABLE: the parser's nodes to statements. */
import type { LsmtError } from '../../../errors.ts'
import type { ColumnType } from '../../../engine/schema.ts'
import type { Name } from '../names.ts'
import { errorAt, syntaxErrorAt } from '../../origin.ts'
import { readColumn } from '../parse-expression.ts'
import type { ColumnDefinition, CreateTable, TableStatement } from './table-statement.ts'
import { isNode, nodes, only, readName, textIn, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'

export function readDrop(reading: Reading, node: SyntaxNode): TableStatement {
  only(reading, node, 'DROP', ['type', 'keyword', 'prefix', 'name'])
  const tables = nodes(node['name']).map((table) => readPlainTable(reading, table))
  return { kind: 'dropTable', tables, ifExists: node['prefix'] === 'IF EXISTS' }
}

function readPlainTable(reading: Reading, table: SyntaxNode): Name {
  if (table['db'] !== null && table['db'] !== undefined) throw unsupported(reading, table, 'a schema before a table name')
  if (typeof table['as'] === 'string') throw unsupported(reading, table, table['as'].toUpperCase())
  only(reading, table, 'a table name', ['table'])
  return readName(reading, table['table'])
}

export function readCreate(reading: Reading, node: SyntaxNode, onInsert: 'error' | 'upsert'): CreateTable {
  only(reading, node, 'CREATE TABLE', ['type', 'keyword', 'table', 'if_not_exists', 'create_definitions'])
  const keys: (readonly Name[])[] = []
  const columns: ColumnDefinition[] = []
  if (!Array.isArray(node['create_definitions'])) throw withoutColumns(reading)
  for (const definition of nodes(node['create_definitions'])) {
    if (definition['resource'] === 'constraint') keys.push(readConstraint(reading, definition))
    else columns.push(readDefinition(reading, definition, keys))
  }
  const name = readPlainTable(reading, nodes(node['table'])[0] ?? {})
  if (keys.length > 1) throw errorAt(reading.origin, keys[1]![0]!.tokenIndex, '42601', `table "${name.name}" has more than one primary key`)
  return { kind: 'createTable', name, ifNotExists: node['if_not_exists'] === 'IF NOT EXISTS', columns, primaryKey: keys[0] ?? [], onInsert }
}

/** `CREATE TABLE t` and `(a)` are no SQL; `()` is, in PostgreSQL. */
function withoutColumns(reading: Reading): LsmtError {
  const { text, end } = reading.source
  if (text.endsWith('( )')) return errorAt(reading.origin, end - 1, '0A000', 'a table without columns is not supported')
  return syntaxErrorAt(reading.origin, text.endsWith(')') ? end - 1 : end)
}

function readConstraint(reading: Reading, node: SyntaxNode): readonly Name[] {
  const kind = textIn(node, 'constraint_type').toUpperCase()
  if (kind !== 'PRIMARY KEY') throw unsupported(reading, node, `the constraint ${kind}`)
  only(reading, node, 'PRIMARY KEY', ['constraint', 'definition', 'constraint_type', 'keyword', 'resource'])
  readConstraintName(reading, node['constraint'])
  return nodes(node['definition']).map((column) => readColumn(reading, column).name)
}

/** A constraint may have a name; nothing refers to it. */
function readConstraintName(reading: Reading, value: unknown): void {
  if (typeof value === 'string') readName(reading, value)
  else if (isNode(value)) readName(reading, value['constraint'])
}

function readDefinition(reading: Reading, node: SyntaxNode, keys: (readonly Name[])[]): ColumnDefinition {
  only(reading, node, 'a column definition', ['column', 'definition', 'resource', 'primary_key', 'nullable', 'constraint'])
  const { name } = readColumn(reading, node['column'])
  const { definition, nullable } = node
  if (!isNode(definition)) throw unsupported(reading, node, 'a column without a type')
  readConstraintName(reading, node['constraint'])
  if (typeof node['primary_key'] === 'string') keys.push([name])
  return { name, type: readType(reading, name, definition), notNull: isNode(nullable) && nullable['type'] === 'not null' }
}

const types: Readonly<Record<string, ColumnType>> = {
  BIGINT: { kind: 'bigint' }, INT8: { kind: 'bigint' }, INTEGER: { kind: 'integer' }, INT: { kind: 'integer' }, INT4: { kind: 'integer' },
  SMALLINT: { kind: 'smallint' }, INT2: { kind: 'smallint' },
  'DOUBLE PRECISION': { kind: 'double' }, DOUBLE: { kind: 'double' }, FLOAT8: { kind: 'double' }, FLOAT: { kind: 'double' },
  REAL: { kind: 'double' }, FLOAT4: { kind: 'double' },
  TEXT: { kind: 'text' }, VARCHAR: { kind: 'text' }, 'CHARACTER VARYING': { kind: 'text' },
  BOOLEAN: { kind: 'boolean' }, BOOL: { kind: 'boolean' }, TIMESTAMP: { kind: 'timestamp' }, DATE: { kind: 'date' }, BYTEA: { kind: 'bytea' },
}

function readType(reading: Reading, column: Name, node: SyntaxNode): ColumnType {
  only(reading, node, 'a type', ['dataType', 'length', 'scale', 'suffix'])
  const name = textIn(node, 'dataType').toUpperCase()
  const { length, scale, suffix } = node
  const refuse = (what: string): LsmtError => errorAt(reading.origin, column.tokenIndex + 1, '0A000', `${what} is not supported`)
  if (Array.isArray(suffix) && suffix.length > 0 && suffix.join(' ').toUpperCase() !== 'WITHOUT TIME ZONE') throw refuse(`the type ${name} ${suffix.join(' ')}`)
  if (name === 'NUMERIC' || name === 'DECIMAL') return numericType(reading, column, length, scale)
  const type = types[name]
  if (type === undefined) throw refuse(`the type ${name}`)
  if (length === undefined || length === null) return type
  if (type.kind !== 'text' || name === 'TEXT') throw refuse(`${name}(${Number(length)})`)
  return { kind: 'text', lengthMax: Number(length) }
}

/** 18 digits are what fits a 64-bit integer; a NUMERIC without a precision would have to hold any number. */
function numericType(reading: Reading, column: Name, length: unknown, scale: unknown): ColumnType {
  if (length === undefined || length === null) throw errorAt(reading.origin, column.tokenIndex + 1, '0A000', 'NUMERIC without a precision is not supported', 'write NUMERIC(p,s) with a precision of at most 18')
  const type = { kind: 'numeric', precision: Number(length), scale: Number(scale ?? 0) } as const
  if (type.precision > 18) throw errorAt(reading.origin, column.tokenIndex + 1, '0A000', `NUMERIC(${type.precision},${type.scale}) is not supported: at most 18 digits are`)
  return type
}
