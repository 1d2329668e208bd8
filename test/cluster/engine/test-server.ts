/** Nodes of a cluster in this process: each a whole server over etcd, with a transport on loopback and storage in memory. */
import { createServer } from 'node:http'
import { afterEach } from 'vitest'
import { openClusterServer } from '../../../src/cluster/engine/serve/cluster-server.ts'
import type { ClusterServer, Consistency } from '../../../src/cluster/engine/serve/cluster-server.ts'
import type { MembershipSettings } from '../../../src/cluster/node/settings.ts'
import type { ReplicationTiming } from '../../../src/cluster/replication/timing.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLog } from '../../../src/runtime/log.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { QueryOptions, Sql } from '../../../src/sql/sql.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { testSettings as engineSettings } from '../../engine/open-test-engine.ts'
import type { TestSettings } from '../../engine/open-test-engine.ts'
import { patientEtcd } from '../etcd/server/etcd-server.ts'
import { testSettings } from '../node/test-member.ts'
import { patientTiming } from '../replica/patient-timing.ts'
import { listen, patientSettings, secret } from '../transport/test-node.ts'

export interface TestServer {
  readonly name: string
  readonly place: TestServerOptions
  readonly disk: MemoryDisk
  readonly server: ClusterServer
  readonly lines: string[]
  readonly fatal: unknown[]
  /** The last result's rows, read here; asked again, as clients do, while leaders change. */
  read(text: string, consistency?: Consistency): Promise<readonly (readonly unknown[])[]>
  /** Runs a text that writes where writes are coordinated, which must be a node of this test. */
  write(text: string, options?: QueryOptions): Promise<readonly (readonly unknown[])[]>
  /** As if the process had ended. */
  end(): Promise<void>
}

export interface TestServerOptions {
  readonly etcd: readonly string[]
  readonly cluster: string
  readonly disk?: MemoryDisk
  readonly shardCount?: number
  /** Of its engines. */
  readonly settings?: TestSettings
  readonly membership?: Partial<MembershipSettings>
  readonly timing?: ReplicationTiming
}

const ends = new Set<() => Promise<void>>()
const running = new Map<string, TestServer>()

afterEach(async () => {
  await Promise.all([...ends].map((end) => end()))
})

export async function startServer(name: string, place: TestServerOptions): Promise<TestServer> {
  const { etcd, cluster, disk = new Map(), shardCount = 3, settings, membership, timing = patientTiming } = place
  const lines: string[] = [], fatal: unknown[] = []
  const http = createServer()
  const { port, sockets } = await listen(http)
  const server = await openClusterServer({
    storage: createMemoryStorage({ disk }), settings: engineSettings({ readers: 0, ...settings, shards: shardCount }), clock: systemClock, random: systemRandom,
    log: createLog('info', (line) => lines.push(line.trim())),
    cluster, nodeId: name, etcd: { endpoints: etcd, settings: patientEtcd }, advertise: `http://127.0.0.1:${port}`, secret, factor: 2, version: '1.0', transport: patientSettings, timing, membership: { ...testSettings, ...membership }, fatal: (error) => void fatal.push(error),
  })
  http.on('upgrade', (request, socket, head) => (server.isUpgrade(request) ? server.accept(socket, head) : socket.destroy()))
  const sqls = new WeakMap<object, Sql>()
  const sqlOver = (engine: Parameters<typeof createSql>[0]): Sql => {
    const sql = sqls.get(engine) ?? createSql(engine)
    sqls.set(engine, sql)
    return sql
  }
  const rowsOf = async (sql: Sql, text: string, options?: QueryOptions): Promise<readonly (readonly unknown[])[]> => (await sql.query(text, undefined, options)).at(-1)?.rows ?? []
  const end = async (): Promise<void> => {
    if (!ends.delete(end)) return
    running.delete(name)
    for (const socket of sockets) socket.destroy()
    http.close()
    await server.close()
  }
  ends.add(end)
  const made: TestServer = {
    name, place, disk, server, lines, fatal, end,
    async read(text, consistency = { kind: 'linearizable' }) {
      for (const endMs = performance.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
        try {
          return await rowsOf(sqlOver(server.at(consistency)), text)
        } catch (error) {
          if (!(error instanceof LsmtError && ['57P03', '08006'].includes(error.code)) || performance.now() > endMs) throw error
        }
      }
    },
    async write(text, options) {
      const endMs = performance.now() + 60_000
      for (;;) {
        const place = await server.coordinator(20_000)
        const there = place.kind === 'there' ? running.get(place.node)?.server : server
        const at = await there?.coordinator(0).catch(() => undefined)
        try {
          if (at?.kind === 'here') return await rowsOf(sqlOver(at.engine), text, options)
        } catch (error) {
          if (!(error instanceof LsmtError && error.code === '57P03') || performance.now() > endMs) throw error
        }
        if (performance.now() > endMs) throw new LsmtError('57P03', `whom ${name} takes for the coordinator is none`)
        // As clients are kept waiting while nobody takes the statement.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
  running.set(name, made)
  return made
}
