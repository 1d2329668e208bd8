/**
 * What the server offers, as OpenAPI 3.1: plain data, served at /openapi.json. A route that is added is described in
 * `paths`; test/http/openapi.test.ts holds real answers against it.
 */
import { formatNames } from '../format/choose-format.ts'
import { schemas } from './schemas.ts'

const errorContent = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } as const
const requestId = { 'x-request-id': { $ref: '#/components/headers/RequestId' }, 'lsmt-session': { $ref: '#/components/headers/Session' } } as const
const retryAfter = { ...requestId, 'retry-after': { description: 'Seconds after which trying again makes sense.', schema: { type: 'string' } } } as const

function refusal(description: string, headers: Readonly<Record<string, unknown>> = requestId, content: unknown = errorContent): unknown {
  return { description, headers, content }
}

const importRefusal = { 'application/json': { schema: { $ref: '#/components/schemas/ImportRefusal' } } } as const

/** Errors that any request may be answered with. */
const anyRoute = {
  400: refusal('The request or its statement is wrong, or asks for what is not supported (0A000).'),
  401: refusal('No token, or one that is not known (28000).', { ...requestId, 'www-authenticate': { schema: { type: 'string' } } }),
  403: refusal('Not allowed (42501).'),
  413: refusal('The body, a header or a statement is too large (54000).'),
  429: refusal('Too much at once (53200, 53300).', retryAfter),
  500: refusal('Stored data failed its checksum (XX001), storage failed (58030), or a bug of lsmt (XX000).'),
  503: refusal('Not now: disk full (53100), not ready or stopping (57P03), outcome unknown (40003).', retryAfter),
} as const

function json(schema: string, description: string): unknown {
  return { description, headers: requestId, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } }
}

const idempotencyKey = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string' }, description: 'Makes a write safe to send again.' } as const

const sessionToken = { name: 'Lsmt-Session', in: 'header', schema: { type: 'string' }, description: 'The header of that name of an answer before: what stood behind it, this answer stands on too.' } as const
const consistency = [
  { name: 'Lsmt-Consistency', in: 'header', schema: { enum: ['linearizable', 'session', 'stale'], default: 'linearizable' }, description: 'Of reads in a cluster: all that was acknowledged before; what stands behind Lsmt-Session; what was true Lsmt-Staleness-Ms-Max ago.' },
  { name: 'Lsmt-Staleness-Ms-Max', in: 'header', schema: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 }, description: 'For Lsmt-Consistency: stale.' },
] as const

const queryAnswer = {
  description: 'What the statements gave. In all formats but JSON one statement of a text may give rows. A body that breaks off has no end: the connection is cut.',
  headers: { ...requestId, vary: { schema: { type: 'string' } }, 'content-encoding': { schema: { enum: ['gzip', 'br'] } } },
  content: {
    'application/json': { schema: { $ref: '#/components/schemas/QueryAnswer' } },
    // What a line is; OpenAPI 3.1 has no word for it.
    'application/x-ndjson': { schema: { type: 'string', description: 'Each line is a `Line`.' }, 'x-line-schema': { $ref: '#/components/schemas/Line' } },
    'text/csv': { schema: { type: 'string', description: 'RFC 4180 with a header; NULL is nothing, the empty text is "".' } },
    'application/vnd.apache.arrow.stream': { schema: { description: 'An Arrow IPC stream.', contentMediaType: 'application/vnd.apache.arrow.stream' } },
  },
} as const

function operation(summary: string, names: readonly string[]): unknown {
  return {
    post: {
      summary: `${summary}; for who may write`,
      parameters: names.map((name) => ({ name, in: 'query', required: true, schema: { type: name === 'shard' ? 'integer' : 'string' } })),
      responses: { 200: json('Done', 'It is decided; what follows from it shows in /status.'), ...anyRoute, 503: refusal('It cannot be done now (55000), or etcd cannot be reached (08006).') },
    },
    get: { summary: 'Refused: it changes something', responses: { 405: refusal('Not by this method.', { ...requestId, allow: { schema: { const: 'POST' } } }), ...anyRoute } },
  }
}

const paths = {
  '/query': {
    post: {
      summary: 'Runs SQL statements',
      parameters: [
        { name: 'format', in: 'query', schema: { enum: formatNames }, description: 'Counts before Accept.' },
        idempotencyKey,
        ...consistency,
        sessionToken,
      ],
      requestBody: {
        required: true,
        description: 'A JSON object; with any other content type the whole body is the SQL text.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/QueryRequest' } }, 'text/plain': { schema: { type: 'string' } }, 'application/x-www-form-urlencoded': { schema: { type: 'string' } } },
      },
      responses: {
        200: queryAnswer,
        ...anyRoute,
        406: refusal('There is no such format.'),
        408: refusal('Cancelled, or took longer than timeoutMs, than the server allows, or than the time for a body (57014).'),
        409: refusal('A row of that primary key exists (23505).'),
      },
    },
    get: { summary: 'Refused: statements are sent by POST', responses: { 405: refusal('Not by this method.', { ...requestId, allow: { schema: { const: 'POST' } } }), ...anyRoute } },
  },
  '/import': {
    post: {
      summary: 'Rows of a body of any size into a table',
      parameters: [
        { name: 'table', in: 'query', required: true, schema: { type: 'string' } },
        { name: 'format', in: 'query', schema: { enum: ['csv', 'jsonl'] }, description: 'Unless the content type says it.' },
        { name: 'onError', in: 'query', schema: { enum: ['stop', 'skip'], default: 'stop' }, description: 'stop: all or nothing. skip: leaves out the lines that are wrong.' },
        { name: 'onConflict', in: 'query', schema: { enum: ['error', 'replace'] }, description: 'What becomes of a row whose key exists.' },
        { name: 'columns', in: 'query', schema: { type: 'string' }, description: 'Of CSV: names with commas between.' },
        { name: 'header', in: 'query', schema: { enum: ['true', 'false'] }, description: 'Of CSV.' },
        { name: 'delimiter', in: 'query', schema: { type: 'string' }, description: 'Of CSV: a character, or tab.' },
        idempotencyKey,
        sessionToken,
      ],
      requestBody: { required: true, description: 'Also with Content-Encoding: gzip.', content: { 'text/csv': { schema: { type: 'string' } }, 'application/x-ndjson': { schema: { type: 'string' } } } },
      responses: {
        200: json('ImportAnswer', 'The rows are in the table.'),
        ...anyRoute,
        400: refusal('The request or a line is wrong.', requestId, importRefusal),
        408: refusal('Cancelled, or no byte came for too long (57014).'),
        409: refusal('A row of that primary key exists (23505).', requestId, importRefusal),
      },
    },
    get: { summary: 'Refused: rows are sent by POST', responses: { 405: refusal('Not by this method.', { ...requestId, allow: { schema: { const: 'POST' } } }), ...anyRoute } },
  },
  '/health/live': { get: { summary: 'Whether the process answers', security: [{}], responses: { 200: json('Health', 'It does.'), ...anyRoute } } },
  '/health/ready': { get: { summary: 'Whether the database takes requests', security: [{}], responses: { 200: json('Health', 'It does.'), ...anyRoute } } },
  '/status': { get: { summary: 'Version, settings, shards, tables', responses: { 200: json('Status', 'As of now.'), ...anyRoute } } },
  '/metrics': { get: { summary: 'For Prometheus', responses: { 200: { description: 'The text format 0.0.4.', headers: requestId, content: { 'text/plain': { schema: { type: 'string' } } } }, ...anyRoute } } },
  '/backup': {
    get: {
      summary: 'A consistent copy of the database while writes go on',
      responses: { 200: { description: 'For lsmt restore.', headers: requestId, content: { 'application/x-tar': { schema: { contentMediaType: 'application/x-tar' } } } }, ...anyRoute, 404: refusal('This server makes none.') },
    },
  },
  '/cluster/drain': operation('Nothing is placed at a node any more, and what is there moves elsewhere', ['node']),
  '/cluster/undrain': operation('A node takes part again', ['node']),
  '/cluster/replace': operation('Drains a node while another, which is live, takes its place', ['node', 'by']),
  '/cluster/hand-over': operation('The leader of a shard steps down for another member', ['shard']),
  '/cluster/recover': operation('The last resort: a copy that may lack what was acknowledged takes the place of the lost members of a shard', ['shard', 'store']),
  '/cluster/lost': { get: { summary: 'Shards all of whose members are gone, with the copies that there are, the best first', responses: { 200: json('LostShards', 'As of now.'), ...anyRoute } } },
  '/openapi.json': { get: { summary: 'This description', responses: { 200: { description: 'OpenAPI 3.1', headers: requestId, content: { 'application/json': { schema: { type: 'object' } } } }, ...anyRoute } } },
} as const

export const openapi = {
  openapi: '3.1.0',
  info: { title: 'lsmt', version: '1', summary: 'A log-structured merge-tree database over HTTP', license: { name: 'MIT', identifier: 'MIT' } },
  security: [{}, { bearer: [] }, { basic: [] }],
  paths,
  components: {
    schemas,
    headers: { Session: { description: 'Of a node of a cluster: what this answer stands on, for reads at other nodes.', schema: { type: 'string' } }, RequestId: { description: 'Stands in the log too; the one that the client sent, if it sent one.', schema: { type: 'string' } } },
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, basic: { type: 'http', scheme: 'basic', description: 'The token is the password.' } },
  },
} as const
