/** Servers that speak HTTP: lsmt, and two that answer with the bytes that lsmt answered with, and do nothing else. */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bytesOnDisk } from '../peers/peer.ts'
import { load, post, startEcho, startLsmt, startServer } from '../http/processes.ts'
import type { Server } from '../http/processes.ts'
import { peakMemoryOf } from './contestant.ts'
import type { LoadShape, ServerContestant } from './contestant.ts'
import { setup } from './works.ts'
import type { Work } from './works.ts'

export interface LsmtContestant extends ServerContestant {
  readonly url: string
}

export async function openLsmt(dataDir: string, factCount: number): Promise<LsmtContestant> {
  mkdirSync(dataDir)
  const server = await startLsmt(dataDir)
  for (const statement of setup(factCount)) await post(server.url, statement)
  return {
    name: 'lsmt', url: server.url, does: () => true,
    rate: (work, shape) => rateOf(server, work, shape),
    peakMemoryBytes: () => peakMemoryOf(server.pid),
    diskBytes: () => bytesOnDisk(dataDir),
    stop: () => server.stop(),
  }
}

/** One process for the answer of each work. */
export async function openEcho(lsmt: LsmtContestant, works: readonly Work[]): Promise<ServerContestant> {
  return await openAnswering('node:http echo', lsmt, works, startEcho)
}

export async function openExpress(lsmt: LsmtContestant, works: readonly Work[]): Promise<ServerContestant> {
  const script = fileURLToPath(new URL('express-route.ts', import.meta.url))
  return await openAnswering('express route', lsmt, works, (answer) => startServer(['--import', 'tsx', script, answer], /^(\d+)$/m, (port) => `http://127.0.0.1:${port}`))
}

async function openAnswering(name: string, lsmt: LsmtContestant, works: readonly Work[], start: (answer: string) => Promise<Server>): Promise<ServerContestant> {
  const servers = new Map<Work, Server>()
  for (const work of works) servers.set(work, await start(await post(lsmt.url, work.statements[0]!)))
  return {
    name, does: () => true,
    rate: (work, shape) => rateOf(servers.get(work)!, work, shape),
    peakMemoryBytes: () => Math.max(...Array.from(servers.values(), ({ pid }) => peakMemoryOf(pid) ?? 0)) || undefined,
    diskBytes: () => undefined,
    async stop() {
      for (const server of servers.values()) await server.stop()
    },
  }
}

const rateOf = ({ url }: Server, { statements }: Work, shape: LoadShape) => load({ url, ...shape, bodies: statements })
