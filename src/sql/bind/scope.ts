/** Tables by name. */
import type { Engine } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { Name } from '../syntax/names.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'

export function findTable(catalog: Pick<Engine, 'table'>, name: Name, origin: Origin): TableSchema {
  const table = catalog.table(name.name)
  if (table === undefined) throw errorAt(origin, name.tokenIndex, '42P01', `table "${name.name}" does not exist`)
  return table
}
