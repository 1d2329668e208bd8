/** The CSV reader against csv-parse, whatever the places where the text is cut; NULL, lines, and what is no CSV. */
import { parse } from 'csv-parse/sync'
import { describe, expect, test } from 'vitest'
import { createCsvReader } from '../../../src/sql/import/csv-reader.ts'
import type { SourceRecord } from '../../../src/sql/import/source-record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

function readAll(text: string, pieceLength: number, delimiter = ','): SourceRecord[] {
  const reader = createCsvReader(delimiter, 1_000_000)
  const records: SourceRecord[] = []
  for (let at = 0; at < text.length; at += pieceLength) records.push(...reader.read(text.slice(at, at + pieceLength), false))
  records.push(...reader.read('', true))
  return records
}

test('random tables read as csv-parse reads them, in pieces of any size', () => {
  const random = seededRandom(Number(process.env['LSMT_SEED'] ?? 11))
  const alphabet = ['a', 'ä', '"', ',', ';', ' ', '\n', '\r\n', '7', '😀', '']
  for (let round = 0; round < 300; round++) {
    const width = 1 + random.below(4)
    const rows = Array.from({ length: 1 + random.below(6) }, () => Array.from({ length: width }, () => Array.from({ length: random.below(6) }, () => alphabet[random.below(alphabet.length)]!).join('')))
    const lineEnd = ['\n', '\r\n'][random.below(2)]!
    const delimiter = [',', ';', '\t'][random.below(3)]!
    const text = rows.map((row) => row.map((cell) => (cell === '' && random.below(2) === 0 && width > 1 ? '' : `"${cell.replaceAll('"', '""')}"`)).join(delimiter)).join(lineEnd) + (random.below(2) === 0 ? lineEnd : '')
    const expected = parse(text, { delimiter, record_delimiter: lineEnd, info: true }) as unknown as { readonly record: readonly string[] }[]
    const found = readAll(text, 1 + random.below(9), delimiter)
    expect(found.map(({ cells }) => cells.map((cell) => cell ?? ''))).toEqual(expected.map(({ record }) => record))
    expect(found.map(({ line }) => line)).toEqual(linesOf(rows, lineEnd))
  }
})

/** Where each row begins when every cell is quoted. */
function linesOf(rows: readonly (readonly string[])[], lineEnd: string): number[] {
  let line = 1
  return rows.map((row) => {
    const first = line
    line += 1 + row.join('').split(/\r\n|\r|\n/).length - 1
    void lineEnd
    return first
  })
}

describe('what stands between the delimiters', () => {
  const cases: readonly (readonly [string, readonly (readonly (string | null)[])[]])[] = [
    ['a,,""\n', [['a', null, '']]],
    ['a,b', [['a', 'b']]],
    ['a,\n,b\r\n', [['a', null], [null, 'b']]],
    ['a,', [['a', null]]],
    ['\n', [[null]]],
    ['"x""y"\n"p\nq",1\n', [['x"y'], ['p\nq', '1']]],
    ['1\r2\r', [['1'], ['2']]],
  ]
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => {
      for (const pieceLength of [1, 2, 3, 100]) expect(readAll(text, pieceLength).map(({ cells }) => cells)).toEqual(expected)
    })
  }
})

test('what is no CSV says so with its line, and the lines after it are read', () => {
  const text = 'a,b\n1,x"y\n2,"z"z\n3,"p\nq"\n4,"open\n5,d\n'
  for (const pieceLength of [1, 7, 100]) {
    expect(readAll(text, pieceLength)).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: [], problem: 'column 2: a quote within an unquoted value' },
      { line: 3, cells: [], problem: 'column 2: text after the closing quote' },
      { line: 4, cells: ['3', 'p\nq'] },
      { line: 6, cells: [], problem: 'column 2: a quote is not closed' },
    ])
  }
})

test('a record without end is given up', () => {
  const reader = createCsvReader(',', 10)
  expect(reader.read('1,2\n"aaaaaaaaaaaaaaa', false)).toEqual([{ line: 1, cells: ['1', '2'] }, { line: 2, cells: [], problem: 'a record of more than 10 characters: is a quote not closed?', isLast: true }])
})
