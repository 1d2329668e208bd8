/** Characters of texts, against arrays of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { characterCount, mapped, repeatedTo, reversed, slice, trim } from '../../../../src/sql/expression/function/characters.ts'

/** Short ones, and some that are longer than a piece. */
const texts = fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '😀', '𐍈'), maxLength: 12 }), fc.constantFrom(1, 1, 1, 5_000)).map(([text, times]) => text.repeat(times))
const index = fc.integer({ min: -15, max: 15 })

test('count, slice, reverse and map', () => {
  fc.assert(fc.property(texts, index, fc.option(index, { nil: undefined }), (text, from, to) => {
    const characters = Array.from(text)
    expect(characterCount(text)).toBe(characters.length)
    expect(slice(text, from, to)).toBe(characters.slice(from, to).join(''))
    expect(reversed(text)).toBe(characters.toReversed().join(''))
    const change = (character: string): string => (character === 'a' ? '😀' : character === '😀' ? '' : character)
    expect(mapped(text, change)).toBe(characters.map(change).join(''))
  }))
})

test('trim', () => {
  fc.assert(fc.property(texts, fc.constantFrom(' ', 'a', 'ab', '😀', '😀a𐍈', ''), fc.boolean(), fc.boolean(), (text, set, start, end) => {
    const kept = Array.from(text), trimmed = Array.from(set)
    while (start && kept.length > 0 && trimmed.includes(kept[0]!)) kept.shift()
    while (end && kept.length > 0 && trimmed.includes(kept.at(-1)!)) kept.pop()
    expect(trim(text, set, start, end)).toBe(kept.join(''))
  }), { numRuns: 200 })
})

test('a text repeated up to so many characters', () => {
  fc.assert(fc.property(texts.filter((text) => text !== ''), fc.nat(40), (text, count) => {
    const characters = Array.from(text)
    expect(repeatedTo(text, count)).toBe(Array.from({ length: count }, (_, at) => characters[at % characters.length]).join(''))
  }))
})
