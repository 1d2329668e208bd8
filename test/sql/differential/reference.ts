/** SQLite as the reference: integers arrive as bigint and doubles as number, so that the two are never confused. */
import initSqlJs from 'sql.js'

export type ReferenceValue = null | bigint | number | string

/** How many rows a statement changed, and those that RETURNING gave. */
export interface Written {
  readonly count: number
  readonly rows: readonly (readonly ReferenceValue[])[]
}

export interface Reference {
  rows(text: string): readonly (readonly ReferenceValue[])[]
  /** Undefined when a constraint refused the statement. */
  write(text: string): Written | undefined
  close(): void
}

/** What the types of sql.js do not say yet. */
interface BigIntStatement {
  step(): boolean
  get(parameters: null, options: { readonly useBigInt: true }): ReferenceValue[]
  free(): boolean
}

const options = { useOldExtensionFunctions: false } as Parameters<typeof initSqlJs>[0]
const library = initSqlJs(options)

export async function openReference(): Promise<Reference> {
  const database = new (await library).Database()
  database.run('PRAGMA case_sensitive_like = ON')
  database.create_function('lower', (text: string | null) => (text === null ? null : text.toLowerCase()))
  database.create_function('upper', (text: string | null) => (text === null ? null : text.toUpperCase()))
  function rowsOf(text: string): readonly (readonly ReferenceValue[])[] {
    const statement = database.prepare(text) as unknown as BigIntStatement
    const rows: ReferenceValue[][] = []
    try {
      while (statement.step()) rows.push(statement.get(null, { useBigInt: true }))
    } finally {
      statement.free()
    }
    return rows
  }

  return {
    rows: rowsOf,
    write(text) {
      try {
        const rows = rowsOf(text)
        return { count: database.getRowsModified(), rows }
      } catch (error) {
        if (error instanceof Error && error.message.includes('constraint failed')) return undefined
        throw error
      }
    },
    close: () => database.close(),
  }
}
