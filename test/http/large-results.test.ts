/**
 * A real server and results that are larger than its memory may be, or that nobody wants any more. Memory and work are
 * read from the kernel's account of the process, so that a busy machine does not change the outcome.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer } from '../server-process.ts'
import type { ServerProcess } from '../server-process.ts'

const isFull = process.env['LSMT_TEST_FULL'] === '1'
const MiB = 1024 * 1024

/** Rows of about 220 bytes as JSON; the result is their cross join. */
const rowCount = isFull ? 5_000 : 1_000
const everything = "SELECT a.id, b.id, b.filling FROM wide a CROSS JOIN wide b"
const bytesMin = rowCount * rowCount * 200
/** What is kept of an answer's end: more than its last line. */
const endBytes = 1024
/** What the server may take above what it had before, however large the result. */
const growthBytesMax = 200 * MiB

const directory = mkdtempSync(join(tmpdir(), 'lsmt-large-'))
let server: ServerProcess

beforeAll(async () => {
  server = await startServer(join(directory, 'data'))
  await server.query('CREATE TABLE wide (id INT PRIMARY KEY, filling TEXT NOT NULL)')
  await server.query(`INSERT INTO wide VALUES ${Array.from({ length: rowCount }, (_, id) => `(${id}, '${`${id} `.repeat(200).slice(0, 200)}')`).join(', ')}`)
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

function post(url: string, sql: string, format = 'json'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(`${url}/query?format=${format}`, { method: 'POST', agent: false, headers: { 'content-type': 'text/plain' } }, resolve).on('error', reject).end(sql)
  })
}

/** The largest resident size so far. */
function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

/** Milliseconds of processor time of the thread that runs statements; others may just then start, or flush. */
function workMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

describe('a slow reader', () => {
  for (const format of isFull ? ['json', 'jsonl', 'csv', 'arrow'] : ['jsonl', 'arrow']) {
    test(`${format}: the server holds a part of the result, never much of it`, async () => {
      const pid = server.process.pid!
      const before = peakBytes(pid)
      const answer = await post(server.url, everything, format)
      // Nothing is read at first: the server fills the sockets, and then it must wait.
      await sleep(500)
      let byteLength = 0
      let end = ''
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        const megabytes = Math.floor(byteLength / MiB)
        byteLength += chunk.length
        // A chunk may begin within the last line.
        end = (end + chunk.toString('latin1', Math.max(0, chunk.length - endBytes))).slice(-endBytes)
        if (Math.floor(byteLength / MiB) % 64 === 0 && Math.floor(byteLength / MiB) > megabytes) await sleep(20)
      }
      expect(answer.complete).toBe(true)
      expect(byteLength).toBeGreaterThan(bytesMin)
      if (format === 'jsonl') expect(end).toMatch(new RegExp(`\\{"end":\\{"rowCount":${rowCount * rowCount},.*\\}\\}\\n$`))
      expect(peakBytes(pid) - before).toBeLessThan(growthBytesMax)
    }, 900_000)
  }
})

describe('a client that leaves', () => {
  const statements: readonly (readonly [string, string])[] = [
    ['an aggregate', 'SELECT COUNT(*) FROM wide a, wide b, wide c WHERE a.filling || b.filling <> c.filling'],
    ['a grouping', 'SELECT a.id + b.id + c.id, COUNT(*) FROM wide a, wide b, wide c GROUP BY a.id + b.id + c.id'],
    ['a sort', 'SELECT a.filling FROM wide a, wide b, wide c ORDER BY b.id + c.id, a.filling'],
    ['an INSERT of a query', 'INSERT INTO kv SELECT a.id || b.filling, c.filling FROM wide a, wide b, wide c'],
    ['an UPDATE', "UPDATE wide SET filling = (SELECT MAX(a.filling || b.filling || c.filling) FROM wide a, wide b, wide c WHERE a.id <> wide.id)"],
    ['a stream', everything],
  ]
  for (const [what, sql] of statements) {
    test(`${what} ends within 100 ms`, async () => {
      const pid = server.process.pid!
      const sent = request(`${server.url}/query`, { method: 'POST', agent: false })
      sent.on('error', () => {})
      sent.end(sql)
      const started = workMs(pid)
      while (workMs(pid) - started < 100) await sleep(10)
      sent.destroy()
      await sleep(100)
      const stopped = workMs(pid)
      await sleep(400)
      // A statement that still ran would take one processor, that is 400 ms.
      expect(workMs(pid) - stopped).toBeLessThan(150)
      expect((await server.query('SELECT COUNT(*), MAX(LENGTH(filling)) FROM wide')).rows).toEqual([[rowCount, 200]])
      expect((await server.query('SELECT COUNT(*) FROM kv')).rows).toEqual([[0]])
    })
  }
})

describe('a server that is killed in mid-stream', () => {
  for (const format of ['json', 'jsonl', 'csv', 'arrow']) {
    test(`${format}: the client hears of it`, async () => {
      const killed = await startServer(join(directory, `killed-${format}`))
      await killed.query('CREATE TABLE wide (id INT PRIMARY KEY, filling TEXT NOT NULL)')
      await killed.query(`INSERT INTO wide VALUES ${Array.from({ length: 1_000 }, (_, id) => `(${id}, '${'x'.repeat(200)}')`).join(', ')}`)
      const answer = await post(killed.url, everything, format)
      expect(answer.statusCode).toBe(200)
      answer.once('data', () => void killed.kill())
      const failure = await new Promise<unknown>((resolve) => {
        answer.once('error', resolve).once('end', () => resolve('a regular end')).resume()
      })
      expect(failure).toMatchObject({ code: 'ECONNRESET' })
      expect(answer.complete).toBe(false)
    })
  }
})
