/** The flags of a node of a cluster, and what they come to: all that is wrong about them is said before anything is reached or made. */
import { InvalidArgumentError, Option } from 'commander'
import type { EtcdAddress } from '../../cluster/etcd/etcd-settings.ts'
import { checkedEndpoints } from '../../cluster/etcd/etcd-settings.ts'
import { checkSecret } from '../../cluster/transport/handshake/proof.ts'
import { LsmtError } from '../../errors.ts'
import type { FlagSource } from '../command.ts'
import { integerIn, nonEmpty } from '../flags.ts'
import type { ListenAddress } from '../flags.ts'
import type { ChosenDatabase, DatabaseFlags, ReaderFlags } from '../target/storage-flags.ts'
import type { ClusterChoice } from './cluster-node.ts'
import { isSet, readNamed } from './given-file.ts'

export interface ClusterFlags {
  readonly nodeId?: string
  readonly etcd?: string
  readonly etcdCa?: string
  readonly etcdCert?: string
  readonly etcdKey?: string
  readonly advertise?: string
  readonly cluster: string
  readonly replicationFactor: number
  readonly clusterSecretFile?: string
  readonly peerCa?: string
}

const namePattern = /^[A-Za-z0-9][\w.-]{0,62}$/
const nameExpected = 'Expected a name of letters, digits, dots, dashes and underscores, at most 63, that begins with a letter or a digit.'

export function clusterOptions(): readonly Option[] {
  return [
    new Option('--node-id <id>', 'be the node of that name of a cluster; with --etcd and a secret').env('LSMT_NODE_ID').argParser(name),
    new Option('--etcd <urls>', 'client URLs of the members of etcd that keep what the cluster agrees on, with commas between; http://user:password@… where it wants that').env('LSMT_ETCD').argParser(nonEmptyUrls),
    new Option('--etcd-ca <path>', 'certificates, in PEM, that https members of etcd are known by, where not the system\'s').env('LSMT_ETCD_CA').argParser(nonEmpty),
    new Option('--etcd-cert <path>', 'certificate in PEM, for members of etcd that ask for one').env('LSMT_ETCD_CERT').argParser(nonEmpty),
    new Option('--etcd-key <path>', 'its private key in PEM').env('LSMT_ETCD_KEY').argParser(nonEmpty),
    new Option('--advertise <url>', 'where other nodes, and clients, reach this one; by default at the address of --listen').env('LSMT_ADVERTISE').argParser(baseUrl),
    new Option('--cluster <name>', 'the cluster, among others in one etcd').env('LSMT_CLUSTER').default('lsmt').argParser(name),
    new Option('--replication-factor <n>', 'copies of everything, each on another node; the same at all nodes. With --storage s3 there are none beside the bucket').env('LSMT_REPLICATION_FACTOR').default(2).argParser(integerIn(1, 7)),
    new Option('--cluster-secret-file <path>', 'file with the secret by which nodes know each other, at least 16 bytes (LSMT_CLUSTER_SECRET holds it itself)').env('LSMT_CLUSTER_SECRET_FILE').argParser(nonEmpty),
    new Option('--peer-ca <path>', 'certificates, in PEM, that https nodes are known by, where not the system\'s').env('LSMT_PEER_CA').argParser(nonEmpty),
  ]
}

function name(text: string): string {
  if (!namePattern.test(text)) throw new InvalidArgumentError(nameExpected)
  return text
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBase = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isBase) throw new InvalidArgumentError('Expected http://host:port or https://host:port.')
  return url.origin
}

function nonEmptyUrls(text: string): string {
  const urls = text.split(',')
  if (!urls.every((each) => URL.canParse(each) && /^https?:$/.test(new URL(each).protocol))) throw new InvalidArgumentError('Expected http://host:port or https://host:port, several with commas between.')
  return text
}

type ServedFlags = ClusterFlags & DatabaseFlags & ReaderFlags & { readonly listen: ListenAddress; readonly durability: string; readonly tlsCert?: string }

/** undefined without --node-id. 22023 for flags that are missing, or contradict each other; 0A000 for what a cluster does not do yet. */
export async function chosenCluster(flags: ServedFlags, place: ChosenDatabase, sourceOf: (flag: string) => FlagSource, secretVariable: string | undefined): Promise<ClusterChoice | undefined> {
  const { nodeId, etcd, cluster, peerCa } = flags
  const given = clusterOptions().find((option) => ['cli', 'env'].includes(sourceOf(option.attributeName()) ?? ''))
  if (nodeId === undefined) {
    if (given !== undefined) throw new LsmtError('22023', `${given.long} (${given.envVar}) is for a node of a cluster, and this is none: give --node-id too, or leave it out`)
    return undefined
  }
  if (etcd === undefined) throw new LsmtError('22023', '--node-id makes this a node of a cluster, whose members of etcd are missing: give --etcd too')
  refuseOthers(flags, place)
  const secret = await readSecret(flags, secretVariable)
  return { cluster, nodeId, factor: chosenFactor(flags, sourceOf), secret, address: place.address, etcd: await etcdAddress(flags, etcd), advertise: advertised(flags), peerCa: await readText('--peer-ca', peerCa) }
}

/** What a cluster's node cannot be besides. */
function refuseOthers({ durability, readOnly, atCheckpoint }: ServedFlags, { logDirectory }: ChosenDatabase): void {
  if (durability !== 'sync') throw new LsmtError('22023', `--durability ${durability} contradicts --node-id: a cluster acknowledges what is on every copy's disk, or in the bucket`)
  const reader = readOnly === true ? '--read-only' : atCheckpoint === undefined ? undefined : '--at-checkpoint'
  if (reader !== undefined) throw new LsmtError('22023', `${reader} contradicts --node-id: a cluster's nodes write, each its copies`)
  if (logDirectory !== undefined) throw new LsmtError('22023', '--log local contradicts --node-id: what a node of a cluster in a bucket acknowledges is in the bucket, where the next owner of a shard finds it')
}

/** In a bucket there is one copy, which all nodes have in common. */
function chosenFactor({ storage, replicationFactor }: ServedFlags, sourceOf: (flag: string) => FlagSource): number {
  if (storage === 'local') return replicationFactor
  if (sourceOf('replicationFactor') !== 'default' && replicationFactor !== 1) throw new LsmtError('22023', `--replication-factor ${replicationFactor} contradicts --storage s3: the bucket holds the data, and keeps its copies itself`)
  return 1
}

/** A file as editors leave it ends with a line break. */
async function readSecret({ clusterSecretFile }: ClusterFlags, variable: string | undefined): Promise<Uint8Array> {
  if (clusterSecretFile !== undefined && isSet(variable)) throw new LsmtError('22023', 'the secret of the cluster is given twice, by --cluster-secret-file and by LSMT_CLUSTER_SECRET: leave one out')
  if (clusterSecretFile === undefined && !isSet(variable)) throw new LsmtError('22023', 'the secret by which nodes know each other is missing: give --cluster-secret-file (LSMT_CLUSTER_SECRET holds it itself)', { hint: 'make one: head -c 32 /dev/urandom | base64' })
  const secret = clusterSecretFile === undefined ? Buffer.from(variable!) : withoutLineBreak(await readNamed('--cluster-secret-file', clusterSecretFile))
  checkSecret(secret)
  return secret
}

function withoutLineBreak(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r?\n$/, ''), 'latin1')
}

async function readText(flag: string, path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : (await readNamed(flag, path)).toString('latin1')
}

async function etcdAddress({ etcdCa, etcdCert, etcdKey }: ClusterFlags, text: string): Promise<EtcdAddress> {
  const urls = text.split(',').map((each) => new URL(each))
  const users = new Set(urls.map(({ username, password }) => `${username}:${password}`))
  if (users.size > 1) throw new LsmtError('22023', '--etcd names more than one user: all members know the same')
  const { username, password } = urls[0]!
  for (const url of urls) url.username = url.password = ''
  const [ca, certificate, key] = await Promise.all([readText('--etcd-ca', etcdCa), readText('--etcd-cert', etcdCert), readText('--etcd-key', etcdKey)])
  const tls = { ...(ca !== undefined && { ca }), ...(certificate !== undefined && { certificate }), ...(key !== undefined && { key }) }
  const address: EtcdAddress = {
    endpoints: urls.map(({ href }) => href),
    ...(username !== '' && { user: { name: decodeURIComponent(username), password: decodeURIComponent(password) } }),
    ...(Object.keys(tls).length > 0 && { tls }),
  }
  checkedEndpoints(address)
  return address
}

function advertised({ advertise, listen: { host, port }, tlsCert }: ServedFlags): string {
  if (advertise?.startsWith('http:') === true && tlsCert !== undefined) throw new LsmtError('22023', `--advertise ${advertise} is not https, and --tls-cert makes this node speak nothing else`)
  if (advertise !== undefined) return advertise
  if (port === 0 || ['0.0.0.0', '::'].includes(host)) throw new LsmtError('22023', `other nodes cannot reach this one at ${host}:${port}, as --listen says: give --advertise URL too`)
  return `${tlsCert === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
