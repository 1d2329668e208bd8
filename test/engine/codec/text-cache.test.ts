import { expect, test } from 'vitest'
import { createTextCache } from '../../../src/engine/codec/text-cache.ts'
import { seededRandom } from '../../../src/runtime/random.ts'

test('gives what the bytes say, also of texts whose characters look like the bytes of others', () => {
  const random = seededRandom(5), read = createTextCache(), pieces = ['a', 'b', '', 'é', 'Ã', '©', '🙂', 'région', 'x'.repeat(20)]
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random.below(5) }, () => pieces[random.below(pieces.length)]!).join('')
    const bytes = Buffer.from(`..${text}..`)
    expect(read(bytes, 2, bytes.length - 4)).toBe(text)
  }
})
