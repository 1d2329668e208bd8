/** A stream of bytes as lines of text, for the gateway sends one JSON object a line. */
import type { Lines } from './transport.ts'

/**
 * Takes from the source only what is asked for, so a slow reader slows the sender. A line without its end is dropped:
 * it was cut. The reason it returns says why the source ended; the source is closed in any case.
 */
export async function* splitLines(source: AsyncIterable<Uint8Array>, lineBytesMax: number): Lines {
  let begun: Uint8Array[] = []
  let begunBytes = 0
  try {
    for await (const chunk of source) {
      let start = 0
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        const line = Buffer.concat([...begun, chunk.subarray(start, end)]).toString('utf8')
        begun = []
        begunBytes = 0
        start = end + 1
        if (line !== '') yield line
      }
      if (start < chunk.length) begun.push(chunk.subarray(start))
      begunBytes += chunk.length - start
      if (begunBytes > lineBytesMax) return `a message of more than ${lineBytesMax} bytes`
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'the member ended the stream'
}
