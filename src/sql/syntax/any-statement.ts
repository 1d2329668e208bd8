/** All statements, as their readers give them to the binder. */
import type { Select } from '../statement.ts'
import type { TableStatement } from './table/table-statement.ts'
import type { Delete, Insert, Update } from './write/write-statement.ts'

export type Statement = TableStatement | Insert | Update | Delete | Select
