/** Rows as a text that is equal for contestants whose rows are. */
import type { PeerRows } from './peer.ts'

/** Sums of doubles differ in their last digits by the order of adding, and amounts have two decimals; integers may come as bigint or as texts of decimals. */
export function answerOf(rows: PeerRows, isOrdered: boolean): string {
  const texts = rows.map((row) => Object.entries(row).map(([name, value]) => `${name}=${valueText(value)}`).join())
  return (isOrdered ? texts : texts.toSorted()).join('\n')
}

function valueText(value: unknown): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && /^-?[0-9]+(\.[0-9]+)?$/.test(value))
  return isNumber ? Number(value).toFixed(2) : String(value)
}
