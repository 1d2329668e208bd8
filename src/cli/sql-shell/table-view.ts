/**
 * Rows as an aligned table: names, types, values; numbers to the right, NULL as a word. Widths go by the first rows,
 * so that a result of any size is shown as it comes; a later value that is wider only moves the rest of its line.
 */
import { displayWidth, padded, visible } from './display-width.ts'

export interface ViewColumn {
  readonly name: string
  /** As answers name it. */
  readonly type: string
}

/** A value as JSON answers have it. */
export type JsonValue = null | boolean | number | string

const rowsMeasured = 1000
const numbers = /^(?:SMALLINT|INTEGER|BIGINT|DOUBLE PRECISION|NUMERIC.*)$/

export interface TableView {
  /** Adds a row; returns text to show, often none yet. */
  add(row: readonly JsonValue[]): string
  end(): string
}

export function createTableView(columns: readonly ViewColumn[]): TableView {
  const sides = columns.map(({ type }) => (numbers.test(type) ? 'left' : 'right'))
  let held: (readonly string[])[] | undefined = []
  let widths: readonly number[] = []

  const line = (cells: readonly string[]): string => `${cells.map((cell, index) => ` ${padded(cell, widths[index]!, sides[index]!)} `).join('|').trimEnd()}\n`

  function showHeld(): string {
    const names = columns.map(({ name }) => visible(name)), types = columns.map(({ type }) => type)
    widths = columns.map((_, index) => [names, types, ...held!].reduce((widest, cells) => Math.max(widest, displayWidth(cells[index]!)), 0))
    const rule = `${widths.map((width) => '-'.repeat(width + 2)).join('+')}\n`
    const text = line(names) + line(types) + rule + held!.map(line).join('')
    held = undefined
    return text
  }

  return {
    add(row) {
      const cells = row.map((value, index) => cellText(value, columns[index]!.type))
      if (held === undefined) return line(cells)
      held.push(cells)
      return held.length < rowsMeasured ? '' : showHeld()
    },
    end: () => (held === undefined ? '' : showHeld()),
  }
}

function cellText(value: JsonValue, type: string): string {
  if (value === null) return 'NULL'
  if (typeof value !== 'string') return String(value)
  return type === 'BYTEA' ? `\\x${Buffer.from(value, 'base64').toString('hex')}` : visible(value)
}
