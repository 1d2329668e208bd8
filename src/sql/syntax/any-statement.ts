/** All statements, as their readers give them to the binder. */
import type { Query } from './query/query.ts'
import type { TableStatement } from './table/table-statement.ts'
import type { TransactionStatement } from './transaction.ts'
import type { Delete, Insert, Update } from './write/write-statement.ts'

export interface Select {
  readonly kind: 'select'
  readonly query: Query
}

export type Statement = TableStatement | TransactionStatement | Insert | Update | Delete | Select
