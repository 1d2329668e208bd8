import { describe, expect, test } from 'vitest'
import { catalogTable, kvTable, nextTableIdRow, readCatalog, tableRow } from '../../../src/engine/tables/catalog.ts'
import { tableSchema } from '../../../src/engine/tables/new-table.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'

const schemas: readonly TableSchema[] = [
  tableSchema(kvTable, 16),
  tableSchema({ name: 'log', columns: [{ name: 'at', type: { kind: 'timestamp' }, notNull: true }, { name: 'n', type: { kind: 'numeric', precision: 10, scale: 2 }, notNull: false }], primaryKey: [], onInsert: 'error' }, 17),
  tableSchema({ name: 'häßlich "name"', columns: [{ name: 'v', type: { kind: 'text', lengthMax: 3 }, notNull: false }, { name: 'k', type: { kind: 'bytea' }, notNull: false }], primaryKey: [1, 0], onInsert: 'error' }, 40),
]

describe('catalog rows', () => {
  test('come back as the schemas they were', () => {
    expect(readCatalog(schemas.map(tableRow))).toEqual({ tables: schemas, nextTableId: 41 })
  })

  test('keep the next table id beyond dropped tables', () => {
    expect(readCatalog([nextTableIdRow(99), ...schemas.map(tableRow)]).nextTableId).toBe(99)
    expect(readCatalog([]).nextTableId).toBe(16)
  })

  test('of another version are refused', () => {
    const row = tableRow(catalogTable)
    expect(() => readCatalog([[row[0]!, String(row[1]).replace('"version":1', '"version":2')]])).toThrow(expect.objectContaining({ code: 'XX002' }))
  })

  test.each([
    ['no JSON', '{'],
    ['no object', '3'],
    ['no columns', '{"version":1,"tableId":20,"primaryKey":[0],"hiddenKey":false,"onInsert":"error"}'],
    ['an unknown type', '{"version":1,"tableId":20,"columns":[{"name":"a","type":{"kind":"uuid"},"notNull":true}],"primaryKey":[0],"hiddenKey":false,"onInsert":"error"}'],
    ['a key outside of the columns', '{"version":1,"tableId":20,"columns":[{"name":"a","type":{"kind":"text"},"notNull":true}],"primaryKey":[1],"hiddenKey":false,"onInsert":"error"}'],
    ['no table id', '{"version":1,"columns":[{"name":"a","type":{"kind":"text"},"notNull":true}],"primaryKey":[0],"hiddenKey":false,"onInsert":"error"}'],
  ])('with %s are corrupt', (_, definition) => {
    expect(() => readCatalog([['t', definition]])).toThrow(expect.objectContaining({ code: 'XX001' }))
  })
})
