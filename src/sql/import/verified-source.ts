/** A source whose bytes are hashed as they pass, and compared with those of an earlier run as far as that came. */
import { createHash } from 'node:crypto'
import { LsmtError } from '../../errors.ts'

export interface SourcePlace {
  readonly bytesRead: number
  /** SHA-256 of them, in base64. */
  readonly sum: string
}

export interface VerifiedSource {
  /** 22023 where the bytes turn out to be others than those of `expected`, before any that follow are given out. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** What has passed so far. */
  place(): SourcePlace
}

export function verifiedSource(source: AsyncIterable<Uint8Array>, expected: SourcePlace | undefined): VerifiedSource {
  const hash = createHash('sha256')
  let bytesRead = 0
  const place = (): SourcePlace => ({ bytesRead, sum: hash.copy().digest('base64') })

  function pass(bytes: Uint8Array): void {
    hash.update(bytes)
    bytesRead += bytes.length
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      const left = expected === undefined ? -1 : expected.bytesRead - bytesRead
      if (left >= 0 && left < bytes.length) {
        pass(bytes.subarray(0, left))
        check()
        pass(bytes.subarray(left))
      } else pass(bytes)
      yield bytes
    }
    if (expected !== undefined && bytesRead <= expected.bytesRead) check()
  }

  function check(): void {
    if (place().sum !== expected?.sum) throw anotherRequest()
  }

  return { bytes: read(), place }
}

export function anotherRequest(): LsmtError {
  return new LsmtError('22023', 'the idempotency key was used before for another import', { hint: 'a new import needs a new key; one that is sent again must have the same options and the same bytes' })
}
