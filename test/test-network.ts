/**
 * Hosts on one machine: network namespaces joined by a bridge that lives in one of its own, so nothing of the machine's own
 * network is touched. Links are cut by packet filters where packets arrive, each direction for itself, and slowed by a
 * token bucket where they leave. Needs root, iproute2 and nftables.
 */
import { execFileSync } from 'node:child_process'

export interface TestNetwork {
  readonly addresses: readonly string[]
  /** The beginning of a command that runs the rest on host `index`. */
  within(index: number): readonly string[]
  /** Nothing that `from` sends arrives at `to` any more. */
  cutOneWay(from: number, to: number): void
  cut(a: number, b: number): void
  /** Of what arrives at a host, so many of a hundred packets are lost. */
  lose(host: number, percent: number): void
  /** What a host sends leaves at so many kilobits a second at most. */
  slow(host: number, kilobits: number): void
  /** All links are as they were. */
  heal(): void
  remove(): void
}

/** Why the tests in namespaces are left out; undefined when they run. */
export const leftOut: string | undefined = process.env['LSMT_TEST_NETNS'] === 'off' ? 'LSMT_TEST_NETNS=off' : undefined

const run = (command: string, argv: readonly string[], input?: string): void => void execFileSync(command, argv, { input, stdio: ['pipe', 'ignore', 'pipe'] })
const ip = (...argv: readonly string[]): void => run('ip', argv)

/** Says what is missing, if something is. */
function checkMeans(): void {
  try {
    if (process.getuid?.() !== 0) throw new Error('this is not root')
    for (const [command, flag] of [['ip', '-V'], ['tc', '-V'], ['nft', '--version']] as const) run(command, [flag])
  } catch (error) {
    throw new Error(`network namespaces need root, iproute2 and nftables; LSMT_TEST_NETNS=off leaves these tests out: ${(error as Error).message}`, { cause: error })
  }
}

export function createNetwork(hostCount: number): TestNetwork {
  const prefix = `lsmt-${process.pid}`
  const bridge = `${prefix}-bridge`
  const names = Array.from({ length: hostCount }, (_, index) => `${prefix}-${index}`)
  const addresses = names.map((_, index) => `10.77.0.${index + 1}`)
  const filter = (host: number, chain: string, rule: string): void =>
    run('ip', ['netns', 'exec', names[host]!, 'nft', '-f', '-'], `add table inet test\nadd chain inet test ${chain} { type filter hook input priority 0; }\nadd rule inet test ${chain} ${rule} drop\n`)
  const quietly = (...argv: readonly string[]): void => {
    try { ip(...argv) } catch { /* there was nothing to remove */ }
  }
  checkMeans()
  const network: TestNetwork = {
    addresses,
    within: (index) => ['ip', 'netns', 'exec', names[index]!],
    cutOneWay: (from, to) => filter(to, 'cuts', `ip saddr ${addresses[from]!}`),
    cut(a, b) {
      network.cutOneWay(a, b)
      network.cutOneWay(b, a)
    },
    lose: (host, percent) => filter(host, 'losses', `ip saddr 10.77.0.0/24 numgen random mod 100 < ${percent}`),
    slow: (host, kilobits) => run('tc', ['-n', names[host]!, 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', `${kilobits}kbit`, 'burst', '16kb', 'latency', '400ms']),
    heal() {
      for (const name of names) {
        quietly('netns', 'exec', name, 'nft', 'flush', 'ruleset')
        quietly('netns', 'exec', name, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root')
      }
    },
    remove() {
      for (const name of [...names, bridge]) quietly('netns', 'del', name)
    },
  }
  process.once('exit', () => network.remove())
  ip('netns', 'add', bridge)
  ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0')
  ip('-n', bridge, 'link', 'set', 'br0', 'up')
  for (const [index, name] of names.entries()) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `host${index}`, 'netns', bridge)
    ip('-n', bridge, 'link', 'set', `host${index}`, 'master', 'br0', 'up')
    ip('-n', name, 'addr', 'add', `${addresses[index]!}/24`, 'dev', 'eth0')
    ip('-n', name, 'link', 'set', 'eth0', 'up')
  }
  return network
}
