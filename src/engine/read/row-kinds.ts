/** How the columns of a scan are read. */
import { kindsAsText, readKind } from '../codec/read-row.ts'
import type { ReadKind } from '../codec/read-row.ts'
import type { EngineScan } from '../engine.ts'
import type { TableAccess } from '../tables/table-access.ts'

/** By ordinal, computed columns after those of the table. */
export function scanReadKinds({ kinds }: TableAccess, { computed = [] }: EngineScan): readonly ReadKind[] {
  return computed.length === 0 ? kinds : [...kinds, ...computed.map(({ type }) => readKind(type))]
}

/** The same where rows are made: with the bytes that are wanted as text. */
export function rowKinds(access: TableAccess, scan: EngineScan): readonly ReadKind[] {
  return kindsAsText(scanReadKinds(access, scan), scan.asText)
}
