/** Type names in casts. */
import type { ColumnType } from '../../../engine/schema.ts'
import { nodes, textIn, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'

const types: Readonly<Record<string, ColumnType>> = {
  SMALLINT: { kind: 'smallint' }, INT: { kind: 'integer' }, INTEGER: { kind: 'integer' }, BIGINT: { kind: 'bigint' }, REAL: { kind: 'double' },
  'DOUBLE PRECISION': { kind: 'double' }, DOUBLE: { kind: 'double' }, FLOAT: { kind: 'double' }, TEXT: { kind: 'text' }, BOOLEAN: { kind: 'boolean' },
  BOOL: { kind: 'boolean' }, TIMESTAMP: { kind: 'timestamp' }, DATE: { kind: 'date' }, BYTEA: { kind: 'bytea' },
}

/** Whether a cast may name it, in words as the parser knows them. */
export function isTypeName(name: string): boolean {
  const upper = name.toUpperCase()
  return Object.hasOwn(types, upper) || exactTypes.has(upper) || textTypes.has(upper)
}

const exactTypes = new Set(['NUMERIC', 'DECIMAL'])
const textTypes = new Set(['VARCHAR', 'CHARACTER VARYING'])

/** What NUMERIC without a precision holds: the digits of what is cast; the binder finds its scale. */
const anyNumeric = { kind: 'numeric', precision: 38, scale: -1 } as const

/** The targets of a cast, in the order in which they are applied. */
export function readTypes(reading: Reading, node: SyntaxNode): readonly ColumnType[] {
  return nodes(node['target']).map((target) => readType(reading, node, target))
}

function readType(reading: Reading, node: SyntaxNode, target: SyntaxNode): ColumnType {
  const name = textIn(target, 'dataType').toUpperCase()
  const { length, scale } = target
  if (exactTypes.has(name)) {
    if (typeof length !== 'number') return anyNumeric
    const digits = typeof scale === 'number' ? scale : 0
    if (length < 1 || length > 18 || digits > length) throw unsupported(reading, node, `NUMERIC(${length},${digits})`)
    return { kind: 'numeric', precision: length, scale: digits }
  }
  if (textTypes.has(name)) return typeof length === 'number' ? { kind: 'text', lengthMax: length } : { kind: 'text' }
  const type = types[name]
  if (type === undefined || typeof length === 'number') throw unsupported(reading, node, `the type ${name === '' ? 'of this cast' : name}`)
  return type
}
