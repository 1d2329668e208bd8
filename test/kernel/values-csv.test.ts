/** Records of CSV to columns: what is read, where reading stops, and that both kinds leave the same bytes. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel } from './both-kinds.ts'
import { column, place, putText, rowsMax, textBytesMax } from './values-plan.ts'
import type { Fixture, TypeName } from './values-plan.ts'

interface Scanned {
  readonly rows: number
  readonly consumed: number
  readonly lineEnds: number
  readonly isCut: boolean
  readonly lines: readonly number[]
}

function scanCsv(fixture: Fixture, source: string | Uint8Array, { delimiter = ',', most = rowsMax } = {}): Scanned {
  const { kernel: { memory, exports }, plan, text, refs, out } = fixture
  const rows = exports.valuesCsv(text, putText(fixture, source), plan, delimiter.charCodeAt(0), most, refs, out)
  const [consumed, lineEnds, isCut] = memory.u32.subarray(out >>> 2)
  return { rows, consumed: consumed!, lineEnds: lineEnds!, isCut: isCut === 1, lines: [...memory.u32.subarray(refs >>> 2, (refs >>> 2) + rows)] }
}

const only = (kernel: Kernel, type: TypeName, fields: readonly string[]): unknown[] => {
  const fixture = place(kernel, ['integer', type], [0])
  const { rows } = scanCsv(fixture, fields.map((field, i) => `${i},${field}\n`).join(''))
  return column(fixture, 1, rows)
}

describe.each(kinds)('records of CSV (%s)', (kind) => {
  const kernel = openTestKernel(kind)
  const pair = (): Fixture => place(kernel, ['integer', 'text'], [0])

  it('are read by the types of their columns', () => {
    expect(only(kernel, 'integer', ['0', '-0', '007', '"12"', '9223372036854775807', '-9223372036854775808', ''])).toEqual([0n, 0n, 7n, 12n, 2n ** 63n - 1n, -(2n ** 63n), null])
    expect(only(kernel, 'numeric', ['1', '1.005', '-1.005', '.004', '5.', '"9999.99"', ''])).toEqual([100n, 101n, -101n, 0n, 500n, 999_999n, null])
    expect(only(kernel, 'double', ['0.1', '-0', '"-0.0"', '1e22', '1E-3', '123456.789', ''])).toEqual([0.1, -0, -0, 1e22, 1e-3, 123_456.789, null])
    expect(only(kernel, 'boolean', ['true', 'FALSE', 't', 'F', '1', '"0"', ''])).toEqual([1n, 0n, 1n, 0n, 1n, 0n, null])
    expect(only(kernel, 'text', ['a', '""', '', '"it""s"', '""""', 'é€', '"a\r\nb"', ' b ', '\u0000'])).toEqual(['a', '', null, 'it"s', '"', 'é€', 'a\r\nb', ' b ', '\u0000'])
    expect(only(kernel, 'bytea', ['\\x00Ff', 'ab', '""', ''])).toEqual(['00ff', '6162', '', null])
    expect(only(kernel, 'date', ['1970-01-02', '"0001-01-01"', ''])).toEqual([1n, -719_162n, null])
    expect(only(kernel, 'timestamp', ['1970-01-01 00:00:01', '1970-01-01T01:00:00.5+01', '"1970-01-02"'])).toEqual([1_000_000n, 500_000n, 86_400_000_000n])
  })

  it.each<[TypeName, readonly string[]]>([
    ['integer', ['1.0', '1.', '1e3', '+1', ' 1', '1 ', 'x', '""', '9223372036854775808', '18446744073709551616', '1-', '"1"2']],
    ['numeric', ['10000', '9999.995', '1e1', 'x', '1.2.3']],
    ['double', ['NaN', '1e', 'Infinity', '1x', '--1', '"1"x']],
    ['boolean', ['yes', 'tr', '2', 'truee', '\u0011']],
    ['text', ['abcdef', 'a"b', '"a"b', 'x,y']],
    ['bytea', ['\\x0', '\\x0g', 'a\\b']],
    ['date', ['2023-02-29', '2024-1-1', ' 2024-01-01']],
    ['timestamp', ['2024-01-01 24:00', 'now']],
  ])('%s: stop before what is not known', (type, fields) => {
    for (const field of fields) {
      const fixture = place(kernel, ['integer', type], [0])
      expect(scanCsv(fixture, `1,\n2,${field}\n3,\n`), field).toEqual({ rows: 1, consumed: 3, lineEnds: 1, isCut: false, lines: [0] })
    }
  })

  it('stop at another width, and at a null in NOT NULL', () => {
    for (const line of ['2\n', '2,b,c\n', ',b\n', '"2"\n']) expect(scanCsv(pair(), `1,a\n${line}`), line).toMatchObject({ rows: 1, consumed: 4, isCut: false })
  })

  it('are cut where the text ends within one, wherever that is', () => {
    const record = '12,"a""\r\nb"\r\n'
    for (let length = 1; length < record.length; length++) {
      expect(scanCsv(pair(), `1,a\n${record.slice(0, length)}`), record.slice(0, length)).toEqual({ rows: 1, consumed: 4, lineEnds: 1, isCut: true, lines: [0] })
    }
    expect(scanCsv(pair(), `1,a\n${record}`)).toEqual({ rows: 2, consumed: 4 + record.length, lineEnds: 3, isCut: false, lines: [0, 1] })
  })

  it('have lines, which end in three ways, and empty ones between them', () => {
    expect(scanCsv(pair(), '\n1,a\r\n\r\n\r2,"\r\r\n\n"\r3,c\n\n')).toEqual({ rows: 3, consumed: 23, lineEnds: 10, isCut: false, lines: [1, 4, 8] })
    const single = place(kernel, ['text'], [])
    expect(scanCsv(single, 'a\n\nb\n')).toMatchObject({ rows: 3, lines: [0, 1, 2] })
    expect(column(single, 0, 3)).toEqual(['a', null, 'b'])
  })

  it('are as many as there is room for, and have other delimiters', () => {
    expect(scanCsv(pair(), '1;a\n2;b\n3;c\n', { delimiter: ';', most: 2 })).toEqual({ rows: 2, consumed: 8, lineEnds: 2, isCut: false, lines: [0, 1] })
  })

  it('stop where there is no room for more doubles that need all their digits', () => {
    const fixture = place(kernel, ['integer', 'double'], [0])
    expect(scanCsv(fixture, Array.from({ length: 6 }, (_, i) => `${i},0.12345678901234567890\n`).join('')).rows).toBe(4)
  })

  it('give their texts one after the other', () => {
    const fixture = pair()
    const { memory, exports } = kernel
    const { rows } = scanCsv(fixture, '1,ab\n2,\n3,"c""d"\n4,é\n')
    const byteLength = exports.valuesTexts(fixture.values + 8 * rowsMax, rows, fixture.operations, fixture.keys, 10)
    expect(memory.buffer.toString('utf8', fixture.operations, fixture.operations + byteLength)).toBe('abc"dé')
    expect([...memory.u32.subarray(fixture.keys >>> 2, (fixture.keys >>> 2) + rows)]).toEqual([12, 12, 15, 17])
  })
})

const fields = ['1', '-2', '0.5', '1e3', 'a', '"it""s"', '2024-01-01', '2024-01-01 10:00:00', '\\x0f', '', '""', 'true', 'f', '12345678901234567890', '0.1234567890123456789', '"', '"a\nb"', '"\r"', '-', '.', 'é', '9999999.99', 'sixteen bytes or more']
const good: Readonly<Record<TypeName, readonly string[]>> = {
  integer: ['0', '-5', '123456789012345678', '"7"'], numeric: ['1.25', '-0.005', '7'], double: ['0.1', '1.5e10', '-0', '0.12345678901234567'], boolean: ['true', 'f'],
  timestamp: ['2024-02-29 12:34:56.789'], date: ['1999-12-31'], text: ['a', '""', '"i""s"', 'é', '"\r\n"'], bytea: ['\\x00ff', 'abc'],
}

function randomCsv(random: Random, types: readonly TypeName[]): string {
  const isNoise = random.below(3) === 0
  const field = (type: TypeName, i: number): string => {
    if (i > 1 && random.below(5) === 0) return ''
    return isNoise && random.below(8) === 0 ? fields[random.below(fields.length)]! : good[type][random.below(good[type].length)]!
  }
  const text = Array.from({ length: random.below(20) }, () => types.map(field).join(',') + ['\n', '\r\n', '\r', '\n\n'][random.below(4)]!).join('')
  return random.below(4) === 0 ? text.slice(0, random.below(text.length + 1)) : text
}

it('both kinds leave the same bytes, for tables and for noise', () => {
  const [wasm, js] = kinds.map((kind) => openTestKernel(kind)) as [Kernel, Kernel]
  const tables: readonly (readonly TypeName[])[] = [['integer', 'numeric', 'double', 'text'], ['text', 'bytea', 'boolean'], ['text'], ['integer', 'date', 'timestamp', 'text', 'double']]
  let rowsRead = 0
  for (const types of tables) {
    const fixtures = [wasm, js].map((kernel) => place(kernel, types, [0])) as [Fixture, Fixture]
    for (let seed = 0; seed < (fullTests ? 5000 : 400); seed++) {
      const source = Buffer.from(randomCsv(seededRandom(seed), types)).subarray(0, textBytesMax)
      const [a, b] = fixtures.map((fixture) => scanCsv(fixture, source)) as [Scanned, Scanned]
      expect(b, source.toString()).toEqual(a)
      expect(Buffer.compare(wasm.memory.u8.slice(fixtures[0].base, fixtures[0].end), js.memory.u8.slice(fixtures[1].base, fixtures[1].end)), source.toString()).toBe(0)
      rowsRead += a.rows
    }
  }
  expect(rowsRead).toBeGreaterThan(5000)
})
