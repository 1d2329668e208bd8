/** Tables by name. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { Name } from '../syntax/names.ts'
import { unknownTable } from '../origin.ts'
import type { Origin } from '../origin.ts'

export function findTable(catalog: Pick<Engine, 'table'>, name: Name, origin: Origin): TableSchema {
  const table = catalog.table(name.name)
  if (table === undefined) throw unknownTable(origin, name)
  return table
}
