/** GET /backup to clients that go away: the checkpoint, which keeps files from being deleted, is released however it ends. */
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Checkpoint } from '../../../src/engine/engine-checkpoint.ts'
import { answerBackup } from '../../../src/http/backup/backup-route.ts'

const archiveLabel = (): { readonly lsmtVersion: string; readonly createdAt: string } => ({ lsmtVersion: '1.2.3', createdAt: '2026-01-05T10:00:00Z' })

interface Counted {
  readonly checkpoint: Checkpoint
  readonly released: () => number
}

function countedCheckpoint(read: () => AsyncIterable<Uint8Array>): Counted {
  let released = 0
  return { checkpoint: { files: [{ name: 'format', byteLength: 4, read }], release: () => { released++ } }, released: () => released }
}

async function* fourBytes(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1, 2, 3, 4)
}

/** Serves one request by `answer`, sent by a client that `meet` is given. */
async function serveOne(answer: (response: ServerResponse) => Promise<void>, meet: (client: ReturnType<typeof get>) => Promise<void>): Promise<void> {
  let answered: Promise<unknown> | undefined
  const server = createServer((_request, response) => { answered = answer(response).catch((error: unknown) => error) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
  client.on('error', () => {})
  await meet(client)
  await answered
  await new Promise((resolve) => { server.close(resolve) })
}

test('one that reads it to the end', async () => {
  const { checkpoint, released } = countedCheckpoint(fourBytes)
  await serveOne((response) => answerBackup({ checkpoint: () => Promise.resolve(checkpoint), archiveLabel }, response), async (client) => {
    const [answer] = (await once(client, 'response')) as [AsyncIterable<Uint8Array>]
    let bytes = 0
    for await (const piece of answer) bytes += piece.length
    expect(bytes % 512).toBe(0)
  })
  expect(released()).toBe(1)
})

test('one that goes away while the checkpoint is taken', async () => {
  const { checkpoint, released } = countedCheckpoint(fourBytes)
  await serveOne(async (response) => {
    const gone = once(response, 'close')
    await answerBackup({ checkpoint: async () => { await gone; return checkpoint }, archiveLabel }, response)
  }, async (client) => {
    await once(client, 'finish')
    client.destroy()
    await once(client, 'close')
  }).catch(() => {})
  await expect.poll(released).toBe(1)
})

test('a file that cannot be read', async () => {
  const { checkpoint, released } = countedCheckpoint(() => { throw new Error('the disk') })
  await serveOne(async (response) => {
    await answerBackup({ checkpoint: () => Promise.resolve(checkpoint), archiveLabel }, response).catch(() => response.destroy())
  }, async (client) => { await once(client, 'close') })
  expect(released()).toBe(1)
})
