import { describe, expect, it } from 'vitest'
import { clipCover, coverOf, coverTouches, unionOfCovers } from '../../../src/lsm/keys/range-cover.ts'
import type { Interval, RangeCover } from '../../../src/lsm/keys/range-cover.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

const key = (text: string): Uint8Array => Buffer.from(text)
const interval = (start: string, end?: string): Interval => ({ start: key(start), end: end === undefined ? undefined : key(end) })
const text = (cover: RangeCover): string => cover.map(({ start, end }) => `${Buffer.from(start).toString()}-${end === undefined ? '' : Buffer.from(end).toString()}`).join(' ')

describe('range covers', () => {
  it('join intervals that overlap or touch, and leave out empty ones', () => {
    expect(text(coverOf([interval('f', 'h'), interval('a', 'c'), interval('c', 'd'), interval('x', 'x'), interval('g', 'k'), interval('z', 'y')]))).toBe('a-d f-k')
    expect(text(coverOf([interval('m'), interval('p', 'q'), interval('a', 'b')]))).toBe('a-b m-')
    expect(text(unionOfCovers(coverOf([interval('a', 'c')]), coverOf([interval('b', 'f')])))).toBe('a-f')
  })

  it('are cut to a range', () => {
    const cover = coverOf([interval('b', 'd'), interval('f', 'h'), interval('m')])
    expect(text(clipCover(cover, key('c'), key('g')))).toBe('c-d f-g')
    expect(text(clipCover(cover, key('d'), key('f')))).toBe('')
    expect(text(clipCover(cover, key('n'), undefined))).toBe('n-')
    expect(coverTouches(cover, key('d'), key('f'))).toBe(false)
    expect(coverTouches(cover, key('d'), key('ff'))).toBe(true)
    expect(coverTouches(cover, key('zz'), undefined)).toBe(true)
  })

  it('cover the keys that their intervals cover, whatever the order', () => {
    const random = seededRandom(11)
    const letters = 'abcdefghijklmnop'
    for (let round = 0; round < 300; round++) {
      const intervals = Array.from({ length: random.below(6) }, () => interval(letters[random.below(16)]!, random.below(9) === 0 ? undefined : letters[random.below(16)]!))
      const cover = coverOf(intervals)
      for (const letter of letters) {
        const covers = (each: Interval): boolean => Buffer.compare(each.start, key(letter)) <= 0 && (each.end === undefined || Buffer.compare(key(letter), each.end) < 0)
        expect(cover.some(covers), `round ${round}, ${letter} in ${text(intervals)}`).toBe(intervals.some(covers))
        expect(coverTouches(cover, key(letter), key(`${letter}\0`))).toBe(intervals.some(covers))
      }
    }
  })
})
