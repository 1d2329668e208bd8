/** Texts that are read together are the texts that are read one by one. */
import { describe, expect, test } from 'vitest'
import { createTextReader } from '../../../src/engine/codec/text-reader.ts'
import type { EngineValue } from '../../../src/engine/engine.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { openTestKernel, putRefs } from '../../kernel/both-kinds.ts'

const pieces = ['', 'a', 'key 000017', 'a text that is longer than thirteen characters', 'é', '日本語', '🙂', 'x'.repeat(100), 'y'.repeat(8192), 'z'.repeat(8193), `${'w'.repeat(9000)}ü`]

describe.each(['wasm', 'js'] as const)('%s', (kind) => {
  test('of any length, mixed with such as are not ASCII', () => {
    const random = seededRandom(3)
    for (let round = 0; round < 40; round++) {
      const kernel = openTestKernel(kind), rareMax = round % 2 === 0 ? 4 : pieces.length
      const texts = Array.from({ length: random.below(60) * random.below(60) }, () => pieces[random.below(random.below(20) === 0 ? rareMax : 4)]!)
      expect(read(kernel, texts)).toEqual(texts)
    }
  })

  test('in as few pieces as fit, so that each does not take a call', () => {
    const kernel = openTestKernel(kind)
    let calls = 0
    const counting = { ...kernel, exports: { ...kernel.exports, vectorJoinAscii: (...given: Parameters<typeof kernel.exports.vectorJoinAscii>) => (calls++, kernel.exports.vectorJoinAscii(...given)) } }
    const texts = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(100, '-'))
    expect(read(counting, texts)).toEqual(texts)
    expect(calls).toBe(Math.ceil(1_000 / Math.floor(8192 / 100)))
  })
})

function read(kernel: Parameters<typeof createTextReader>[0], texts: readonly string[]): readonly EngineValue[] {
  const reader = createTextReader(kernel), values: EngineValue[] = Array.from({ length: texts.length }, () => null)
  reader.read(putRefs(kernel, texts.map((text) => Buffer.from(text))), values)
  reader.free()
  return values
}
