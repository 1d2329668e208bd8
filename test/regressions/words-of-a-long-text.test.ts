/** `initcap` held every word of a text at once: one of 30 million characters took 24 seconds, in which nobody else was served. */
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

/** As it was, which is right for letters of the basic plane. */
const asBefore = (text: string): string => text.toLowerCase().replaceAll(/[\p{L}\p{N}]+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1))

const sql = createSql(openModelEngine())
const initcap = async (text: string): Promise<unknown> => (await sql.query('SELECT initcap($1)', [text]))[0]!.rows[0]![0]

test.each([['', ''], ['hELLO wORLD', 'Hello World'], ["don't 3rd x2y", "Don'T 3rd X2y"], ['ÉCOLE éTÉ', 'École Été'], ['𐐨𐐩 𐐀', '𐐀𐐩 𐐀'], ['ß', 'SS'], ['😀a b', '😀A B']])('%s', async (text, expected) => {
  expect(await initcap(text)).toBe(expected)
})

test('texts of several pieces, of any characters', async () => {
  const random = seededRandom(7), characters = ['a', 'Z', '7', ' ', "'", 'é', 'Σ', 'ς', '東', '_', '😀', 'ǆ', '\u0301']
  for (let round = 0; round < 20; round++) {
    const text = Array.from({ length: random.below(60_000) }, () => characters[random.below(characters.length)]!).join('')
    expect(await initcap(text)).toBe(asBefore(text))
  }
})
