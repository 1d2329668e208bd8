/** Looking over tuples: the same however they lie to the window that the text is read through. */
import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { skimTuples } from '../../../src/sql/scan/skim.ts'

const literals: readonly ((random: Random) => string)[] = [
  (random) => String(random.below(1_000_000)), (random) => `-${random.below(1000)}.${random.below(1000)}`, () => '7.', () => "'plain'", () => "'nul \0 in it'", (random) => `-${random.below(1000)}.${random.below(1000)}e-${random.below(9)}`, () => '.5', () => '1E5',
  (random) => `'it''s ${'é🎉'.repeat(random.below(40))}'`, () => "''", () => 'NULL', () => 'true', () => 'Default', () => "x'00fF'", () => "DATE '2024-02-29'", () => "timestamp  '2024-02-29 01:02:03'",
]
const blanks = ['', '', '', ' ', '\n\t', '\u00a0', '/* one /* in */ another */', '-- to the end\n']
const oneOf = <T>(random: Random, all: readonly T[]): T => all[random.below(all.length)]!

function randomTuple(random: Random, width: number): string {
  const blank = (): string => oneOf(random, blanks)
  return `${blank()},${blank()}(${Array.from({ length: width }, () => `${blank()}${oneOf(random, literals)(random)}${blank()}`).join(',')})`
}

test.each([1, 2, 3])('tuples of every literal over several windows, seed %s', (seed) => {
  const random = seededRandom(seed)
  for (const width of [1, 3]) {
    const before = 'VALUES (1)'
    let text = before, count = 0
    for (; text.length < 150_000; count++) text += count % 900 === 500 ? `, (${Array.from({ length: width }, () => `'${'long '.repeat(4_000 * random.below(7))}'`).join()})` : randomTuple(random, width)
    for (const after of ['', ' RETURNING *', ', (1 + 1)', ', ()', ', (-)', ', (.)', ', (-.)', ', (1.2.3)', ', (--1)', ", ('a' 'b')", ", ('open", ', (', ',', ";, (1)"]) expect(skimTuples(text + after, before.length, width), after).toEqual({ count, end: text.length })
  }
})

test('a tuple that ends anywhere near the end of a window', () => {
  const tail = ", (-1.5e10, 'a''b', x'00', NULL), (2, 'c', DATE '2024-01-01', 3)"
  for (let room = 0; room <= tail.length + 2; room++) {
    const text = `, ('${'x'.repeat(32 * 1024 - 20 - room)}', 1, 2, 3)${tail}`
    expect(skimTuples(`${text} RETURNING 1`, 0, 4), `${room}`).toEqual({ count: 3, end: text.length })
    expect(skimTuples(`${text}, (1, 2, 3, 4x)`, 0, 4), `${room}`).toEqual({ count: 3, end: text.length })
  }
})
