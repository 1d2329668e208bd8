/** The table of the analytic benches: one row a sale, made from a fixed seed, as columns of numbers and codes. */
import { seededRandom } from '../../src/runtime/random.ts'

export interface Sales {
  readonly count: number
  readonly users: Int32Array
  /** Codes of `regionNames`. */
  readonly regions: Uint8Array
  readonly amounts: Float64Array
  /** Codes of `statusNames`. */
  readonly statuses: Uint8Array
}

export const userCount = 100_000
export const regionNames: readonly string[] = Array.from({ length: 50 }, (_, code) => `region ${String(code).padStart(2, '0')}`)
export const statusNames: readonly string[] = ['new', 'paid', 'sent', 'done', 'void']

/** Few users have most rows; amounts are below 1,000 and have two decimals. */
export function makeSales(count: number): Sales {
  const random = seededRandom(17)
  const sales: Sales = { count, users: new Int32Array(count), regions: new Uint8Array(count), amounts: new Float64Array(count), statuses: new Uint8Array(count) }
  for (let i = 0; i < count; i++) {
    sales.users[i] = Math.floor(random.nextFloat() ** 3 * userCount)
    sales.regions[i] = random.below(regionNames.length)
    sales.amounts[i] = random.below(100_000) / 100
    sales.statuses[i] = random.below(statusNames.length)
  }
  return sales
}

export interface Sale {
  readonly id: number
  readonly ts: number
  readonly user_id: number
  readonly region: string
  readonly amount: number
  readonly status: string
}

export function saleAt(sales: Sales, id: number): Sale {
  return { id, ts: 1_700_000_000_000 + id * 7, user_id: sales.users[id]!, region: regionNames[sales.regions[id]!]!, amount: sales.amounts[id]!, status: statusNames[sales.statuses[id]!]! }
}
