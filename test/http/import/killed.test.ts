/**
 * A server that is killed half-way through an import, and the import again under its idempotency key: every row is there
 * once. The long run is a body of 2 GB, made as it is sent, and bounds what the server's process holds.
 */
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { fullTests } from '../../kernel/both-kinds.ts'
import { startServer } from '../../server-process.ts'
import type { ServerProcess } from '../../server-process.ts'

/** Of the process of a server with default settings, whatever the size of the import. */
const residentBytesMax = 1024 * 1024 * 1024

const rowsPerPiece = 500
const note = 'the rest of a line; it is here to be as long as those of many files are '.repeat(2)

function piece(from: number): Buffer {
  let text = ''
  for (let id = from; id < from + rowsPerPiece; id++) text += `${id},city ${id % 977},${id % 10_000}.25,2026-01-05T10:00:00.${String(id % 1000).padStart(3, '0')}Z,${note}${id}\n`
  return Buffer.from(text)
}

async function* csv(rowCount: number, onPiece: (rowsSent: number) => void): AsyncGenerator<Buffer> {
  yield Buffer.from('id,city,fare,at,note\n')
  for (let from = 0; from < rowCount; from += rowsPerPiece) {
    yield piece(from)
    onPiece(from + rowsPerPiece)
  }
}

async function send(server: ServerProcess, rowCount: number, onPiece: (rowsSent: number) => void = () => {}): Promise<{ readonly rowCount: number }> {
  const request = httpRequest(`${server.url}/import?table=trips&format=csv`, { method: 'POST', headers: { 'idempotency-key': 'the import' } })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  await Promise.all([pipeline(csv(rowCount, onPiece), request), answered])
  const chunks: Buffer[] = []
  for await (const chunk of (await answered)[0] as AsyncIterable<Buffer>) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString()) as { readonly rowCount: number }
}

/** The most that the process has held so far; undefined where nobody tells. */
async function residentPeak({ process: { pid } }: ServerProcess): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const found = /VmHWM:\s+(\d+) kB/.exec(status)
  return found === null ? undefined : Number(found[1]) * 1024
}

const counted = async (server: ServerProcess): Promise<readonly unknown[]> => (await server.query('SELECT count(*), count(DISTINCT id), min(id), max(id), sum(fare) FROM trips')).rows[0]!

test('rows are there exactly once', async () => {
  const rowCount = fullTests ? 9_000_000 : 100_000
  const dataDir = await mkdtemp(join(tmpdir(), 'lsmt-import-'))
  let server = await startServer(dataDir)
  try {
    await server.query('CREATE TABLE trips (id BIGINT PRIMARY KEY, city TEXT NOT NULL, fare NUMERIC(10,2), at TIMESTAMP, note TEXT)')
    await new Promise<void>((resolve) => {
      const broken = send(server, rowCount, (rowsSent) => {
        if (rowsSent >= rowCount / 2) resolve()
      })
      broken.catch(() => {})
    })
    await server.kill()
    server = await startServer(dataDir)
    expect((await counted(server))[0]).toBe(0)
    const start = performance.now()
    expect(await send(server, rowCount)).toMatchObject({ rowCount })
    const seconds = (performance.now() - start) / 1000
    const peak = await residentPeak(server)
    const expected = [rowCount, rowCount, 0, rowCount - 1]
    const found = await counted(server)
    expect(found.slice(0, 4)).toEqual(expected)
    if (peak !== undefined) expect(peak).toBeLessThan(residentBytesMax)
    if (fullTests) console.log(`${rowCount} rows in ${seconds.toFixed(1)} s (${Math.round(rowCount / seconds)} rows/s), at most ${Math.round((peak ?? 0) / 2 ** 20)} MiB resident`)
    await server.kill()
    server = await startServer(dataDir)
    expect(await send(server, rowCount)).toMatchObject({ rowCount })
    expect(await counted(server)).toEqual(found)
  } finally {
    await server.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
}, fullTests ? 1_800_000 : 60_000)
