/**
 * SQL in two dialects at once: what lsmt reads and what SQLite reads for the same meaning. Most of a statement is the
 * same text in both; the places where they differ are `inBoth` pairs, and templates carry them through.
 */
export interface Text {
  readonly lsmt: string
  readonly sqlite: string
}

export type Part = Text | string | number

const lsmtOf = (part: Part): string => (typeof part === 'object' ? part.lsmt : String(part))
const sqliteOf = (part: Part): string => (typeof part === 'object' ? part.sqlite : String(part))

export function differing(lsmt: string, sqlite: string): Text {
  return { lsmt, sqlite }
}

export function sql(strings: TemplateStringsArray, ...parts: readonly Part[]): Text {
  return { lsmt: String.raw({ raw: strings }, ...parts.map(lsmtOf)), sqlite: String.raw({ raw: strings }, ...parts.map(sqliteOf)) }
}

export function joined(parts: readonly Part[], separator: string): Text {
  return { lsmt: parts.map(lsmtOf).join(separator), sqlite: parts.map(sqliteOf).join(separator) }
}

export const nothing: Text = { lsmt: '', sqlite: '' }
