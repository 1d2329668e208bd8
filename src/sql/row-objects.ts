/** Rows of a result as objects by column name. How they are made is kept with the plan. */
import { RowObjects } from '../engine/codec/row-objects.ts'
import type { RowObject } from '../engine/codec/row-objects.ts'
import { userColumnOf } from '../engine/user-value.ts'
import type { RowsAs } from './collect.ts'
import type { ResultColumn } from './plan.ts'

export type ResultRow = RowObject

const makers = new WeakMap<readonly ResultColumn[], RowObjects>()

export const rowObjects: RowsAs<ResultRow> = (columns) => {
  const objects = objectsOf(columns), shows = columns.map(({ type }) => userColumnOf(type))
  return {
    addRows(rows, into) {
      for (let i = 0; i < rows.length; i++) into.push(objects.ofRow(rows[i]!))
    },
    addColumns: ({ columns: values, rowCount }, into) => void objects.ofColumns(values.map((column, i) => shows[i]!(column)), rowCount, into),
  }
}

function objectsOf(columns: readonly ResultColumn[]): RowObjects {
  const known = makers.get(columns)
  if (known !== undefined) return known
  const objects = new RowObjects(columns)
  makers.set(columns, objects)
  return objects
}
