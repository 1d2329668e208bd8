import { describe, expect, it } from 'vitest'
import { nearReads, planReads } from '../../../src/lsm/table/read/read-plan.ts'

const chunk = (index: number, byteOffset: number, byteLength: number) => ({ index, byteOffset, byteLength })
const shown = (chunks: Parameters<typeof planReads>[0], gapMax: number, bytesMax: number): string[] =>
  planReads(chunks, { gapBytesMax: gapMax, readBytesMax: bytesMax }).map((read) => `${read.byteOffset}+${read.byteLength}: ${read.chunks.map(({ index }) => index).join(' ')}`)

describe('read plan', () => {
  it('plans nothing for nothing', () => expect(planReads([], nearReads)).toEqual([]))

  it('joins neighbours and what lies within the gap', () => {
    const chunks = [chunk(0, 64, 16), chunk(1, 80, 8), chunk(5, 98, 10), chunk(9, 119, 1)]
    expect(shown(chunks, 10, 1000)).toEqual(['64+44: 0 1 5', '119+1: 9'])
    expect(shown(chunks, 0, 1000)).toEqual(['64+24: 0 1', '98+10: 5', '119+1: 9'])
    expect(shown(chunks, 11, 1000)).toEqual(['64+56: 0 1 5 9'])
  })

  it('does not join past the limit, but reads a longer chunk whole', () => {
    expect(shown([chunk(0, 0, 60), chunk(1, 60, 40), chunk(2, 100, 1), chunk(3, 101, 500)], 10, 100)).toEqual(['0+100: 0 1', '100+1: 2', '101+500: 3'])
  })
})
