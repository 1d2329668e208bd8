/** A table as the CREATE TABLE that would make it. */
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { reservedWords } from '../syntax/words.ts'

export function createTableText(table: TableSchema): string {
  const { columns, primaryKey, hiddenKey, onInsert } = table
  const key = hiddenKey ? [] : primaryKey
  const lines = visibleOrdinals(table).map((ordinal) => {
    const { name, type, notNull, default: given } = columns[ordinal]!
    const words = [quoted(name), typeName(type), notNull && !key.includes(ordinal) ? 'NOT NULL' : '', given === undefined ? '' : `DEFAULT ${given}`]
    return words.filter((word) => word !== '').join(' ')
  })
  if (key.length > 0) lines.push(`PRIMARY KEY (${key.map((ordinal) => quoted(columns[ordinal]!.name)).join(', ')})`)
  return `CREATE TABLE ${quoted(table.name)} (\n  ${lines.join(',\n  ')}\n)${onInsert === 'upsert' ? " WITH (insert = 'upsert')" : ''}`
}

/** A name as it must be written: plain when it would be read as it is. */
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !reservedWords.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}
