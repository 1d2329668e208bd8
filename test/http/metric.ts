/** What a server tells of itself, as a condition to wait for. */
import { expect } from 'vitest'

interface Served {
  readonly url: string
}

/** A number that /metrics tells. */
export async function metric({ url }: Served, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text()
  return Number(new RegExp(`^lsmt_${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1])
}

/** Waits until that is told; of requests and connections, the one that asks is counted too. */
export async function becomes(server: Served, name: string, value: number): Promise<void> {
  await expect.poll(() => metric(server, name), { interval: 10 }).toBe(value)
}
