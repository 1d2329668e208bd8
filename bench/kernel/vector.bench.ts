import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Pointer } from '../../src/kernel/linear-memory.ts'
import { likePart, vectorOperator } from '../../src/kernel/vector.ts'
import { comparison } from '../../src/kernel/zone-map.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { BenchCase } from '../harness.ts'

const rowCount = 64_512
const cities = Array.from({ length: 50 }, (_, i) => `city number ${i}`)

interface Input {
  readonly integers: Pointer
  readonly doubles: Pointer
  readonly texts: Pointer
  readonly active: Pointer
  readonly range: Pointer
  readonly out: Pointer
  /** A constant as both kinds of numbers need it. */
  constant(value: bigint | number): Pointer
}

function prepareInput({ heap, memory, exports }: Kernel): Input {
  const random = seededRandom(21), vector = (): Pointer => heap.allocate(8 * rowCount)
  const integers = vector(), doubles = vector(), texts = vector(), active = heap.allocate(rowCount / 8), range = heap.allocate(16)
  const places = cities.map((text) => {
    const address = heap.allocate(text.length)
    return [address, memory.buffer.write(text, address)] as const
  })
  for (let i = 0; i < rowCount; i++) {
    memory.i64[integers / 8 + i] = BigInt(1_700_000_000 + random.below(1_000_000))
    memory.f64[doubles / 8 + i] = random.below(1_000_000) / 100
    memory.u32.set(places[random.below(places.length)]!, texts / 4 + 2 * i)
  }
  exports.scanSelectAll(active, rowCount)
  memory.i64.set([-(2n ** 63n), 2n ** 63n - 1n], range / 8)
  return {
    integers, doubles, texts, active, range, out: vector(),
    constant(value) {
      const address = heap.allocate(16)
      if (typeof value === 'bigint') memory.i64.fill(value, address / 8, address / 8 + 2)
      else memory.f64.fill(value, address / 8, address / 8 + 2)
      return address
    },
  }
}

/** `answerBytes`: what the operation writes. */
function vectorCase(name: string, answerBytes: number, begin: (kernel: Kernel, input: Input) => () => void): BenchCase {
  return {
    name,
    operations: rowCount,
    prepare(kernel) {
      const input = prepareInput(kernel), run = begin(kernel, input)
      return { run, answer: () => kernel.memory.buffer.toString('hex', input.out, input.out + answerBytes) }
    },
  }
}

function arithmeticCase(name: string, operator: keyof typeof vectorOperator, kind: 'i64' | 'f64', operand: bigint | number): BenchCase {
  return vectorCase(name, 8 * rowCount, ({ exports }, { integers, doubles, active, range, out, constant }) => {
    const right = constant(operand)
    if (kind === 'i64') return () => exports.vectorArithmeticI64(vectorOperator[operator], integers, 8, right, 0, active, rowCount, range, out)
    return () => exports.vectorArithmeticF64(vectorOperator[operator], doubles, 8, right, 0, active, rowCount, out)
  })
}

function likeCase(name: string, pattern: readonly string[]): BenchCase {
  return vectorCase(name, rowCount / 8, ({ heap, memory, exports }, { texts, active, out }) => {
    const parts = heap.allocate(12 * pattern.length)
    pattern.forEach((piece, index) => {
      const at = parts / 4 + 3 * index, address = heap.allocate(piece.length)
      memory.u32[at] = piece === '%' ? likePart.many : likePart.literal
      memory.u32[at + 1] = address
      memory.u32[at + 2] = memory.buffer.write(piece, address)
    })
    return () => exports.vectorLike(texts, active, rowCount, parts, pattern.length, out)
  })
}

export function bench(): readonly BenchCase[] {
  return [
    arithmeticCase('i64 + constant', 'add', 'i64', 12n),
    arithmeticCase('i64 * constant', 'multiply', 'i64', 3n),
    arithmeticCase('i64 / constant', 'quotient', 'i64', 3600n),
    arithmeticCase('i64 % constant', 'remainder', 'i64', 3600n),
    arithmeticCase('f64 * constant', 'multiply', 'f64', 2),
    vectorCase('f64 * f64', 8 * rowCount, ({ exports }, { doubles, active, out }) => () => exports.vectorArithmeticF64(vectorOperator.multiply, doubles, 8, doubles, 8, active, rowCount, out)),
    vectorCase('i64 < i64', rowCount / 8, ({ exports }, { integers, out }) => () => exports.vectorCompareI64(integers, integers, 8, rowCount, comparison.lt, out)),
    vectorCase('f64 > constant', rowCount / 8, ({ exports }, { doubles, out, constant }) => {
      const right = constant(9000)
      return () => exports.vectorCompareF64(doubles, right, 0, rowCount, comparison.gt, out)
    }),
    vectorCase('text in 8 texts', rowCount / 8, ({ heap, memory, exports }, { texts, active, out }) => {
      const set = heap.allocate(64)
      cities.slice(0, 10).filter((_, i) => i > 1).forEach((city, i) => {
        const address = heap.allocate(city.length)
        memory.u32.set([address, memory.buffer.write(city, address)], set / 4 + 2 * i)
      })
      return () => exports.vectorInBytes(texts, active, rowCount, set, 8, out)
    }),
    likeCase("LIKE 'city number 3%'", ['city number 3', '%']),
    likeCase("LIKE '%number%7'", ['%', 'number', '%', '7']),
    vectorCase('texts joined', 8 * 1024, ({ heap, exports }, { texts, out }) => {
      const ends = heap.allocate(4 * 1024)
      return () => {
        for (let row = 0; row < rowCount; row += 512) exports.vectorJoinAscii(texts + 8 * row, 512, out, 16 * 1024, ends)
      }
    }),
  ]
}
