/** Where a server's time goes: what `node --cpu-prof` wrote, by function and by room. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Lines for the largest shares of the time that was not idle, of the serving thread: the largest profile in a directory. */
export function profileLines(directory: string, lineCount: number): readonly string[] {
  const texts = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'))
  const profile = JSON.parse(texts.reduce((largest, text) => (text.length > largest.length ? text : largest))) as CpuProfile
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byFunction = new Map<string, number>()
  const byRoom = new Map<string, number>()
  let total = 0
  for (const [index, id] of profile.samples.entries()) {
    const { functionName, url } = frames.get(id)!
    if (functionName === '(idle)') continue
    const micros = profile.timeDeltas[index]!
    const room = roomOf(functionName, url)
    total += micros
    byRoom.set(room, (byRoom.get(room) ?? 0) + micros)
    const name = `${functionName === '' ? '(anonymous)' : functionName} ${shortUrl(url)}`.trim()
    byFunction.set(name, (byFunction.get(name) ?? 0) + micros)
  }
  const line = ([name, micros]: readonly [string, number]): string => `${((100 * micros) / total).toFixed(1).padStart(5)} %  ${name}`
  return [...largest(byRoom, 12).map(line), ...largest(byFunction, lineCount).map(line)]
}

function largest(shares: ReadonlyMap<string, number>, count: number): readonly (readonly [string, number])[] {
  return [...shares].sort((a, b) => b[1] - a[1]).slice(0, count)
}

function roomOf(functionName: string, url: string): string {
  if (url.startsWith('node:')) return 'node'
  const room = /\/dist\/(.+)\/[^/]+$/.exec(url)?.[1]
  if (room !== undefined) return `src/${room}`
  if (url.startsWith('wasm:')) return 'kernels'
  return url === '' ? functionName === '(garbage collector)' ? functionName : 'native' : 'libraries'
}

function shortUrl(url: string): string {
  return url.replace(/^.*\/(dist|node_modules)\//, '')
}
