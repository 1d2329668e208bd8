/** Standard output as chunks of an answer go there: one after the other, no faster than it is read. */
import { LsmtError } from '../errors.ts'
import type { TerminalOutput } from './host.ts'
import type { WriteChunk } from './target/connection.ts'

/** 57014 when nobody reads any more. */
export function chunkWriter(output: TerminalOutput): WriteChunk {
  return (chunk) =>
    new Promise((resolve, reject) => {
      output.write(chunk, (error) => {
        if (error === undefined || error === null) resolve()
        else reject(new LsmtError('57014', `nobody reads the output any more: ${error.message}`, {}, error))
      })
    })
}
