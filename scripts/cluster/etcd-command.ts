/** Members of an etcd cluster as commands. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface EtcdMember {
  readonly name: string
  readonly dataDir: string
  readonly host: string
  readonly clientPort: number
  readonly peerPort: number
}

export const clientUrl = ({ host, clientPort }: EtcdMember): string => `http://${host}:${clientPort}`
const peerUrl = ({ host, peerPort }: EtcdMember): string => `http://${host}:${peerPort}`

/** The same for the first start and for every later one: etcd looks at its data directory first. `token` keeps clusters apart that meet at an address by accident. */
export function etcdCommand(member: EtcdMember, members: readonly EtcdMember[], token: string): readonly string[] {
  return [
    'etcd', '--name', member.name, '--data-dir', member.dataDir, '--logger', 'zap', '--log-level', 'error',
    '--listen-client-urls', clientUrl(member), '--advertise-client-urls', clientUrl(member),
    '--listen-peer-urls', peerUrl(member), '--initial-advertise-peer-urls', peerUrl(member),
    '--initial-cluster', members.map((each) => `${each.name}=${peerUrl(each)}`).join(','), '--initial-cluster-state', 'new', '--initial-cluster-token', token,
  ]
}

export const isOnPath = (program: string, path: string): boolean => path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))
