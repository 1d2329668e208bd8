/** Statements to plans: names and types resolved against the catalog. Errors say where in the text the name stands. */
import type { Literals } from '../expression/literal.ts'
import { planQuery } from '../query/plan-query.ts'
import { newContext } from '../query/scope.ts'
import type { Origin } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { Statement } from '../syntax/any-statement.ts'
import { bindInsert } from './bind-insert.ts'
import { bindAlter, bindCreate, bindDrop, showColumns, showCreate, showTables } from './bind-table.ts'
import { bindDelete, bindUpdate } from './bind-update.ts'
import type { Catalog } from './catalog.ts'
import { findTable } from './scope.ts'

/** 42P01, 42703, 42P07, 42701, 42804, 42601 and 0A000 as names and types demand. */
export function bindStatement(statement: Statement, catalog: Catalog, origin: Origin, literals: Literals): Plan {
  switch (statement.kind) {
    case 'createTable':
      return bindCreate(statement, catalog, origin)
    case 'dropTable':
      return bindDrop(statement.tables, statement.ifExists, catalog, origin)
    case 'alterTable':
      return bindAlter(statement, catalog, origin)
    case 'truncate':
      return { kind: 'truncate', name: findTable(catalog, statement.table, origin).name }
    case 'showTables':
      return showTables(catalog)
    case 'showColumns':
      return showColumns(findTable(catalog, statement.table, origin))
    case 'showCreate':
      return showCreate(findTable(catalog, statement.table, origin))
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
      return { kind: 'transaction', statement }
    case 'insert':
      return bindInsert(statement, newContext(catalog, origin, literals))
    case 'update':
      return bindUpdate(statement, newContext(catalog, origin, literals))
    case 'delete':
      return bindDelete(statement, newContext(catalog, origin, literals))
    case 'select':
      return planQuery(statement.query, catalog, origin, literals)
  }
}
