/** Clients of a cluster whose leaders change, as they should be: what nobody takes for the moment (503) is sent again. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, TestClient } from '../../http/http-client.ts'

const attemptsMax = 400, pauseMs = 25

/** Under one key, so that it is done once; also sent again when the node is gone within it. */
export async function write(node: TestClient, sql: string): Promise<Answer> {
  const headers = { 'idempotency-key': randomUUID() }
  return await untilTaken(() => node.post(sql, headers).catch(() => undefined))
}

export const ask = (node: TestClient, sql: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> => untilTaken(() => node.post(sql, headers))

async function untilTaken(send: () => Promise<Answer | undefined>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send()
    if (answer !== undefined && answer.status !== 503) return answer
    if (attempt === attemptsMax) throw new Error(`no answer: ${JSON.stringify(answer?.json)}`)
    await sleep(pauseMs)
  }
}
