/**
 * Requests to real members over node:http, since `fetch` takes neither a CA nor a client certificate. Connections are
 * kept; that of a request that is given up is destroyed, so a frozen member holds none for ever, and so are all that are
 * idle then: where it is this node that hears nobody any more, each would carry one more renewal of its lease to a member
 * whose answer does not come back, and the lease would last for as many attempts longer than anybody here relies on it. A
 * new connection is made only by hearing of it.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { EtcdTls } from '../etcd-settings.ts'
import { splitLines } from './lines.ts'
import type { Reply, StreamReply, Transport, TransportFailure, TransportRequest } from './transport.ts'

export interface HttpTransportOptions {
  readonly tls: EtcdTls | undefined
  readonly messageBytesMax: number
}

export function createHttpTransport({ tls = {}, messageBytesMax }: HttpTransportOptions): Transport {
  const plain = new HttpAgent({ keepAlive: true })
  const secure = new HttpsAgent({
    keepAlive: true,
    ...(tls.ca !== undefined && { ca: tls.ca }),
    ...(tls.certificate !== undefined && { cert: tls.certificate }),
    ...(tls.key !== undefined && { key: tls.key }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  })
  const send = ({ endpoint, path, headers, body, signal }: TransportRequest): ClientRequest => {
    const url = `${endpoint}/v3/${path}`
    const bytes = Buffer.from(body)
    const options = { method: 'POST', headers: { ...headers, 'content-type': 'application/json', 'content-length': bytes.length }, signal }
    const request = url.startsWith('https:') ? httpsRequest(url, { ...options, agent: secure }) : httpRequest(url, { ...options, agent: plain })
    request.end(bytes)
    return request
  }
  const begun = async (request: TransportRequest): Promise<IncomingMessage | TransportFailure> => {
    const response = await begin(request, send)
    if (request.signal.aborted) for (const agent of [plain, secure]) dropIdle(agent)
    return response
  }
  return {
    async post(request) {
      const response = await begun(request)
      return 'kind' in response ? response : whole(response, messageBytesMax)
    },
    async stream(request): Promise<StreamReply> {
      const response = await begun(request)
      if ('kind' in response) return response
      return response.statusCode === 200 ? { kind: 'open', lines: splitLines(response, messageBytesMax) } : whole(response, messageBytesMax)
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

function dropIdle({ freeSockets }: HttpAgent): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** Until the head of the answer is there. */
function begin(request: TransportRequest, send: (request: TransportRequest) => ClientRequest): Promise<IncomingMessage | TransportFailure> {
  if (request.signal.aborted) return Promise.resolve({ kind: 'failed', reason: 'it was given up before it was sent', mayHaveArrived: false })
  return new Promise((resolve) => {
    const sent = send(request)
    let mayHaveArrived = false
    sent.once('socket', (socket) => {
      // A connection that is being made carries nothing yet; with TLS nothing before the handshake is over.
      if (sent.reusedSocket) mayHaveArrived = true
      else socket.once(request.endpoint.startsWith('https:') ? 'secureConnect' : 'connect', () => { mayHaveArrived = true })
    })
    sent.once('response', resolve)
    // Stays: an error after the answer's head is told by the answer's body.
    sent.on('error', (error) => resolve({ kind: 'failed', reason: reasonOf(error, request.signal), mayHaveArrived }))
  })
}

async function whole(response: IncomingMessage, bytesMax: number): Promise<Reply> {
  const chunks: Buffer[] = []
  let byteLength = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      byteLength += chunk.length
      if (byteLength > bytesMax) return { kind: 'failed', reason: `an answer of more than ${bytesMax} bytes`, mayHaveArrived: true }
      chunks.push(chunk)
    }
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error), mayHaveArrived: true }
  }
  return { kind: 'answered', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }
}

function reasonOf(error: Error, signal: AbortSignal): string {
  // OpenSSL's messages end in a line break.
  if (!signal.aborted) return error.message.trim() || ((error as NodeJS.ErrnoException).code ?? error.name)
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason)
}
