/** Orders that a table's rows have by themselves: that of the primary key, up or down. */
import type { TableSchema } from '../../engine/schema.ts'

export interface OrderedColumn {
  readonly ordinal: number
  readonly descending: boolean
}

/**
 * Whether the order is that of the key, and if so whether from its end; columns that an equality holds fixed may be left
 * out or named anywhere. undefined: the rows have to be sorted.
 */
export function keyOrder(table: TableSchema, fixed: ReadonlySet<number>, order: readonly OrderedColumn[]): 'forward' | 'reverse' | undefined {
  const rest = table.hiddenKey ? [] : table.primaryKey.filter((ordinal) => !fixed.has(ordinal))
  let descending: boolean | undefined
  let next = 0
  for (const item of order) {
    if (fixed.has(item.ordinal) || (!table.hiddenKey && next === rest.length) || rest.slice(0, next).includes(item.ordinal)) continue
    if (item.ordinal !== rest[next] || (descending !== undefined && descending !== item.descending)) return undefined
    descending = item.descending
    next++
  }
  return descending === true ? 'reverse' : 'forward'
}
