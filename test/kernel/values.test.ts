/** VALUES text to columns, keys and operations: what is read, and that both kinds write the same bytes. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { valuesShardBytes } from '../../src/kernel/values.ts'
import { readOperations } from '../../src/lsm/batch.ts'
import type { Operation } from '../../src/lsm/batch.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import { fullTests, kinds, openTestKernel } from './both-kinds.ts'
import { column, place, putText, rowsMax, shards, textBytesMax } from './values-plan.ts'
import type { Fixture, TypeName } from './values-plan.ts'

interface Scanned {
  readonly rows: number
  readonly consumed: number
}

function scan(fixture: Fixture, source: string | Uint8Array, rowsBefore = 0): Scanned {
  const { kernel: { memory, exports }, plan, text, out } = fixture
  const rows = exports.valuesScan(text, putText(fixture, source), plan, rowsBefore, rowsMax, out)
  return { rows, consumed: memory.u32[out >>> 2]! }
}

const only = (kernel: Kernel, type: TypeName, texts: readonly string[]): unknown[] => {
  const fixture = place(kernel, ['integer', type], [0])
  const { rows } = scan(fixture, texts.map((text, i) => `(${i},${text})`).join(','))
  return column(fixture, 1, rows)
}

describe.each(kinds)('values kernels (%s)', (kind) => {
  const kernel = openTestKernel(kind)
  const micros = (text: string): bigint => BigInt(Date.parse(text)) * 1000n

  it('reads literals by the type of their column', () => {
    expect(only(kernel, 'integer', ['0', '-0', '007', '1.5', '-1.5', '1.4999', '9223372036854775807', '-9223372036854775808', 'NULL', 'default'])).toEqual([0n, 0n, 7n, 2n, -2n, 1n, 2n ** 63n - 1n, -(2n ** 63n), null, 7n])
    expect(only(kernel, 'numeric', ['1', '1.005', '-1.005', '.004', '5.', '9999.99', '0.00000000000000000000'])).toEqual([100n, 101n, -101n, 0n, 500n, 999_999n, 0n])
    expect(only(kernel, 'double', ['0.1', '-0', '-0.0', '1e22', '1E-3', '123456.789', '9007199254740992'])).toEqual([0.1, 0, -0, 1e22, 1e-3, 123_456.789, 2 ** 53])
    expect(only(kernel, 'boolean', ['true', 'FALSE', 'Null'])).toEqual([1n, 0n, null])
    expect(only(kernel, 'text', ["'it''s'", "''", "''''", "'é€🎉'", "'a),('", 'DEFAULT'])).toEqual(["it's", '', "'", 'é€🎉', 'a),(', null])
    expect(only(kernel, 'bytea', ["x'00Ff'", "'\\xdead'", "'ab'"])).toEqual(['00ff', 'dead', '6162'])
    expect(only(kernel, 'date', ["'1970-01-02'", "DATE '0001-01-01'", "date/**/'2024-02-29'"])).toEqual([1n, -719_162n, 19_782n])
    expect(only(kernel, 'timestamp', ["'2024-02-29'", "'1969-12-31 23:59:59.5'", "TIMESTAMP '2024-06-01T12:30+02:30'", "'2024-06-01t12:30:01z'"])).toEqual([micros('2024-02-29'), -500_000n, micros('2024-06-01T10:00Z'), micros('2024-06-01T12:30:01Z')])
  })

  it.each<[TypeName, readonly string[]]>([
    ['integer', ['9223372036854775808', '1e3', "'1'", 'true', '+1', '- 1', '1x', '12345678901234567890', '18446744073709551616', 'nullx', '(1)']],
    ['numeric', ['10000', '9999.995', '1e1']],
    ['double', ['1e', "'1'", 'NaN', '1.e5x']],
    ['boolean', ['1', "'t'", 'truee']],
    ['text', ["'abcdef'", "'a' 'b'", "E'a'", '$$a$$', '1', "'open"]],
    ['bytea', ["x'0'", "x'0g'", "'\\x0'", "'\\\\'", "x'00''"]],
    ['date', ["'2023-02-29'", "'2024-13-01'", "'2024-1-1'", "'2024-01-01 '", "'0000-01-01'"]],
    ['timestamp', ["'2024-01-01 24:00'", "'2024-01-01 10:00:00.1234567'", "'2024-01-01 10:00:00.'", "'2024-01-01 10:60'", "'2024-01-01 1:00'", "'2024-01-01 10:00+'", "' 2024-01-01'"]],
  ])('%s: stops before what it does not know', (type, texts) => {
    for (const text of texts) {
      const fixture = place(kernel, ['integer', type], [0])
      expect(scan(fixture, `(1,NULL) , (2,${text})`), text).toEqual({ rows: 1, consumed: 8 })
    }
  })

  /** What a literal with a sign, digits and a point comes to in 10^-scale, half away from zero; undefined beyond 19 significant digits, or as many to round off. */
  const decimal = (literal: string, scale: number): bigint | undefined => {
    const [, sign, whole, fraction = ''] = /^(-?)([0-9]*)\.?([0-9]*)$/.exec(literal)!
    if (`${whole}${fraction}`.replace(/^0+/, '').length > 19 || fraction.length - scale > 19) return undefined
    const digits = BigInt(`${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`) + (fraction.charCodeAt(scale) >= 0x35 ? 1n : 0n)
    return sign === '-' ? -digits : digits
  }
  const numbers = Array.from({ length: 21 }, (_, whole) => Array.from({ length: 21 }, (__, fraction) => ['19283746501928374650', '00000000000000000000', '00000000000000000001', '99999999999999999999', '10000000000000000000'].flatMap((digits) => {
    const parts = [digits.slice(20 - whole), digits.slice(0, fraction)]
    return [parts.join('.'), ...(fraction === 0 ? [parts[0]!] : [])].filter((text) => /[0-9]/.test(text)).flatMap((text) => [text, `-${text}`])
  }))).flat(2)

  it('reads whole numbers and decimals of any number of digits', () => {
    for (const [type, scale, greatest] of [['integer', 0, 2n ** 63n - 1n], ['numeric', 2, 999_999n]] as const) {
      const fixture = place(kernel, ['integer', type], [0])
      for (const number of numbers) {
        const value = decimal(number, scale)
        const isTaken = value !== undefined && value <= greatest && value >= (type === 'integer' ? -greatest - 1n : -greatest)
        const { rows } = scan(fixture, `(1,${number})`)
        expect([rows, ...column(fixture, 1, rows)], `${type} ${number}`).toEqual(isTaken ? [1, value] : [0])
      }
    }
  })

  it('reads doubles of any number of digits, or leaves them to the caller', () => {
    const fixture = place(kernel, ['integer', 'double'], [0])
    let pending = 0
    for (const number of numbers) {
      expect(scan(fixture, `(1, ${number} )`).rows, number).toBe(1)
      if (kernel.memory.u32[(fixture.plan + 48) >>> 2] === 1) pending++
      else expect(column(fixture, 1, 1), number).toEqual([/^-0+$/.test(number) && number.length < 16 ? 0 : Number(number)])
    }
    expect(pending).toBeLessThan(numbers.length / 2)
    expect(pending).toBeGreaterThan(0)
  })

  it('stops at the end, at another width, at a null in NOT NULL, and goes on after a comma', () => {
    const fixture = place(kernel, ['integer', 'text'], [0])
    const three = "( 1 /* /* */ */ , 'a' ) -- x\n , (2,'b'\t), (3,'c')"
    expect(scan(fixture, `${three} RETURNING a`)).toEqual({ rows: 3, consumed: three.length })
    expect(scan(fixture, "(1,'a'),(2)")).toEqual({ rows: 1, consumed: 7 })
    expect(scan(fixture, "(1,'a'),(2,'b','c')")).toEqual({ rows: 1, consumed: 7 })
    expect(scan(fixture, "(1,'a'),(NULL,'b')")).toEqual({ rows: 1, consumed: 7 })
    expect(scan(fixture, "(1,'a'),(2,'b")).toEqual({ rows: 1, consumed: 7 })
    expect(scan(fixture, " , (1,'a')", 5)).toEqual({ rows: 1, consumed: 10 })
    expect(scan(fixture, "(1,'a')", 5)).toEqual({ rows: 0, consumed: 0 })
    expect(scan(fixture, '')).toEqual({ rows: 0, consumed: 0 })
  })

  it('leaves doubles that it cannot round to the caller, as many as there is room for', () => {
    const fixture = place(kernel, ['integer', 'double'], [0])
    const { memory } = kernel
    expect(scan(fixture, '(1,0.12345678901234567890),(2,1),(3,1e23),(4,5e-324),(5,9007199254740993),(6,1e99)').rows).toBe(5)
    const cells = Array.from({ length: memory.u32[(fixture.plan + 48) >>> 2]! }, (_, i) => {
      const [value, from, bytes] = memory.u32.subarray((fixture.pending + 16 * i) >>> 2)
      return [(value! - fixture.values) / 8 - rowsMax, memory.buffer.toString('latin1', from, from! + bytes!)]
    })
    expect(cells).toEqual([[0, '0.12345678901234567890'], [2, '1e23'], [3, '5e-324'], [4, '9007199254740993']])
  })

  it('says when keys have no room', () => {
    const fixture = place(kernel, ['integer', 'text'], [0])
    const { rows } = scan(fixture, "(1,'a'),(2,'b')")
    expect(kernel.exports.valuesKeys(fixture.plan, rows, fixture.keys, 15, fixture.refs, fixture.hashes)).toBe(-1)
    expect(kernel.exports.valuesKeys(fixture.plan, rows, fixture.keys, 16, fixture.refs, fixture.hashes)).toBe(8)
  })
})

function operationsOf(bytes: Uint8Array): Operation[] {
  const batch = Buffer.concat([Buffer.alloc(24), bytes])
  batch.writeUInt32LE(batch.length, 0)
  batch.writeUInt32LE(24, 16)
  for (let count = 0, at = 24; at < batch.length; at = (at + 12 + batch.readUInt32LE(at + 4) + batch.readUInt32LE(at + 8) + 3) & ~3) batch.writeUInt32LE(++count, 4)
  return [...readOperations(batch)]
}

/** Encodes all that was scanned, and returns each shard's operations. */
function encode(fixture: Fixture, rows: number): Uint8Array[] {
  const { kernel: { exports, memory }, plan, keys, refs, hashes, sizes, cursors, operations } = fixture
  exports.valuesKeys(plan, rows, keys, 8192, refs, hashes)
  exports.valuesMeasure(plan, rows, refs, hashes, sizes)
  let at = operations
  const starts = Array.from({ length: shards }, (_, shard) => {
    const start = at
    memory.u32[(cursors >>> 2) + shard] = start
    at += memory.u32[(sizes + valuesShardBytes * shard) >>> 2]!
    return start
  })
  exports.valuesEncode(plan, rows, refs, hashes, cursors)
  return starts.map((start, shard) => {
    expect(memory.u32[(cursors >>> 2) + shard]).toBe(start + memory.u32[(sizes + valuesShardBytes * shard) >>> 2]!)
    return memory.u8.slice(start, memory.u32[(cursors >>> 2) + shard])
  })
}

const pieces = ['1', '-2', '0.5', '1e3', "'a'", "'it''s'", "'2024-01-01'", "'2024-01-01 10:00:00'", "x'0f'", 'NULL', 'true', 'DEFAULT', '12345678901234567890', '0.1234567890123456789', '--', '/*', '*/', '\n', ' ', "'", '-', '.', 'e', ',', '(', ')', '\u00e9', '$1', "'\u0000'", '9999999.99']

function randomText(random: Random, width: number): string {
  if (random.below(5) === 0) return Array.from({ length: random.below(40) }, () => pieces[random.below(pieces.length)]!).join('')
  const cell = (): string => pieces[random.below(random.below(20) === 0 ? pieces.length : 13)]!
  return Array.from({ length: random.below(30) }, () => `(${Array.from({ length: width }, cell).join(', ')})`).join(',')
}

describe('both kinds', () => {
  const tables: readonly (readonly [readonly TypeName[], readonly number[]])[] = [
    [['integer', 'numeric', 'double', 'text'], [0]], [['bytea', 'double', 'boolean'], [0]], [['text', 'double', 'integer', 'timestamp', 'date'], [1, 0]], [['double'], [0]],
    [['integer', 'integer', 'integer', 'text', 'text', 'double', 'double', 'numeric', 'text', 'double'], [3, 1]],
  ]

  it('write the same bytes, for texts and for noise', () => {
    const [wasm, js] = kinds.map((kind) => openTestKernel(kind)) as [Kernel, Kernel]
    let rowsRead = 0
    for (const [types, key] of tables) {
      const fixtures = [wasm, js].map((kernel) => place(kernel, types, key)) as [Fixture, Fixture]
      for (let seed = 0; seed < (fullTests ? 5000 : 300); seed++) {
        const random = seededRandom(seed)
        const text = randomText(random, types.length)
        // Mostly cells of the right kind, so that whole tuples are read.
        const source = random.below(3) === 0 ? text : typedText(random, types)
        const [a, b] = fixtures.map((fixture) => {
          const scanned = scan(fixture, Buffer.from(source).subarray(0, textBytesMax))
          return { scanned, operations: encode(fixture, scanned.rows) }
        }) as [{ scanned: Scanned; operations: Uint8Array[] }, { scanned: Scanned; operations: Uint8Array[] }]
        expect(b, source).toEqual(a)
        expect(Buffer.compare(wasm.memory.u8.slice(fixtures[0].base, fixtures[0].end), js.memory.u8.slice(fixtures[1].base, fixtures[1].end)), source).toBe(0)
        rowsRead += a.scanned.rows
      }
    }
    expect(rowsRead).toBeGreaterThan(3000)
  })

  it('tell of each shard the smallest and the greatest key, and whether they come in order, as sorting them does', () => {
    let inOrder = 0, inNone = 0
    for (let seed = 0; seed < 600; seed++) {
      const random = seededRandom(seed), fixture = place(openTestKernel(kinds[seed % kinds.length]!), ['text', 'integer'], [0])
      const given = Array.from({ length: 1 + random.below(12) }, () => Array.from({ length: random.below(5) }, () => 'ab\u0000z'[random.below(4)]!).join(''))
      const keys = random.below(2) === 0 ? given : given.toSorted()
      const shardsOperations = encode(fixture, scan(fixture, keys.map((key) => `('${key}', 1)`).join(', ')).rows)
      const { u32, buffer } = fixture.kernel.memory
      const keyOfRow = (row: number): string => buffer.toString('latin1', u32[(fixture.refs >>> 2) + 2 * row], u32[(fixture.refs >>> 2) + 2 * row]! + u32[(fixture.refs >>> 2) + 2 * row + 1]!)
      for (const [shard, bytes] of shardsOperations.entries()) {
        const [, rows, smallest, greatest, ascends] = u32.subarray((fixture.sizes + valuesShardBytes * shard) >>> 2)
        const here = operationsOf(bytes).map(({ key }) => Buffer.from(key.subarray(4)).toString('latin1')), sorted = here.toSorted()
        expect(rows).toBe(here.length)
        if (here.length === 0) continue
        const isAscending = here.every((key, i) => i === 0 || here[i - 1]! < key)
        expect([keyOfRow(smallest!), keyOfRow(greatest!), ascends], `seed ${seed}`).toEqual([sorted[0], sorted.at(-1), Number(isAscending)])
        if (isAscending) inOrder++
        else inNone++
      }
    }
    expect(Math.min(inOrder, inNone)).toBeGreaterThan(200)
  })

  it('operations are those of a batch', () => {
    const fixture = place(openTestKernel('wasm'), ['integer', 'text'], [0])
    const operations = encode(fixture, scan(fixture, "(1,'one'),(-2,NULL)").rows)
    const found = operations.flatMap(operationsOf).map(({ kind, key, value }) => [kind, Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex')] as const)
    expect(new Map(found.map(([kind, key, value]) => [key, [kind, value]]))).toEqual(new Map([['0000004d7ffffffffffffffe', [1, '010000000100000000']], ['0000004d8000000000000001', [1, '0100000000030000006f6e65']]]))
  })
})

const good: Readonly<Record<TypeName, readonly string[]>> = {
  integer: ['0', '1', '-5', '123456789012345678', '2.5'], numeric: ['1.25', '-0.005', '9999.99', '7'], double: ['0.1', '1.5e10', '-0', '12345.678', '0.12345678901234567'],
  boolean: ['true', 'false'], timestamp: ["'2024-02-29 12:34:56.789'", "'2024-01-01'"], date: ["'1999-12-31'"], text: ["'a'", "''", "'it''s'", "'\u00e9'", "'\u0000x'"], bytea: ["x'00ff'", "'abc'"],
}

function typedText(random: Random, types: readonly TypeName[]): string {
  const cell = (type: TypeName, i: number): string => (i > 3 && random.below(4) === 0 ? 'NULL' : good[type][random.below(good[type].length)]!)
  return Array.from({ length: random.below(30) }, () => `(${types.map(cell).join(random.below(2) === 0 ? ',' : ' , ')})`).join(',')
}
