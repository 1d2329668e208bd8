/** The JSON of requests and answers as JSON Schema (2020-12), by name. Closed, so that a field that is not described fails the tests. */
import { errorCodes } from '../../errors.ts'

const count = { type: 'integer', minimum: 0 } as const
const columns = {
  type: 'array',
  items: {
    type: 'object',
    properties: { name: { type: 'string' }, type: { type: 'string', description: 'as SQL names it: BIGINT, NUMERIC(10,2), TEXT, …', examples: ['BIGINT'] } },
    required: ['name', 'type'],
    additionalProperties: false,
  },
} as const
const row = { type: 'array', items: { $ref: '#/components/schemas/Value' } } as const
const commit = {
  type: 'object',
  description: 'Of a write: where it is, in how many copies.',
  properties: { durability: { enum: ['sync', 'local', 'interval', 'memory'] }, copies: { type: 'integer', minimum: 1 } },
  required: ['durability', 'copies'],
  additionalProperties: false,
} as const
const stats = {
  type: 'object',
  properties: { elapsedMs: { type: 'number', minimum: 0 }, rowGroupsTotal: count, rowGroupsPruned: count, bytesRead: count, storageRequests: count, spilledBytes: count },
  required: ['elapsedMs'],
  additionalProperties: false,
} as const

const code = { enum: Object.keys(errorCodes), description: 'SQLSTATE' } as const
const error = {
  type: 'object',
  properties: {
    code,
    message: { type: 'string' },
    position: { type: 'integer', minimum: 1, description: 'The character of the statement text that it is about.' },
    hint: { type: 'string', description: 'What to do.' },
  },
  required: ['code', 'message'],
  additionalProperties: false,
} as const
const lineErrors = {
  type: 'array',
  description: 'The first of them.',
  items: { type: 'object', properties: { line: { type: 'integer', minimum: 1 }, column: { type: 'string' }, code, message: { type: 'string' } }, required: ['line', 'code', 'message'], additionalProperties: false },
} as const

export const schemas = {
  Value: {
    description: 'BIGINT is a number up to 2^53-1 and a string of digits beyond; DOUBLE PRECISION a number, or "NaN", "Infinity", "-Infinity"; NUMERIC a string; TIMESTAMP and DATE ISO 8601 (UTC); BYTEA base64; the type of the column says how to read it.',
    type: ['null', 'boolean', 'number', 'string'],
  },
  Parameter: { type: ['null', 'boolean', 'number', 'string'], description: 'Numbers keep all of their digits.' },
  QueryRequest: {
    type: 'object',
    properties: {
      sql: { type: 'string', examples: ['SELECT value FROM kv WHERE key = $1'] },
      params: {
        description: 'A list for $1 and ?, an object for :name.',
        anyOf: [{ type: 'array', items: { $ref: '#/components/schemas/Parameter' } }, { type: 'object', additionalProperties: { $ref: '#/components/schemas/Parameter' } }, { type: 'null' }],
      },
      timeoutMs: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 2 ** 31 - 1, description: 'For all statements and their answer; no more than the server allows.' },
      maxStorageRequests: { type: ['integer', 'null'], minimum: 0, description: 'Requests to storage that the statements may make for what they read; 54000 before one more is made.' },
    },
    required: ['sql'],
    additionalProperties: false,
  },
  QueryAnswer: {
    description: 'The result of one statement, or the results of several.',
    oneOf: [
      { $ref: '#/components/schemas/Result' },
      { type: 'object', properties: { results: { type: 'array', minItems: 2, items: { $ref: '#/components/schemas/Result' } } }, required: ['results'], additionalProperties: false },
    ],
  },
  Result: {
    type: 'object',
    properties: { columns, rows: { type: 'array', items: row }, rowCount: { ...count, description: 'Rows returned, or changed by a write.' }, commit, stats },
    required: ['columns', 'rows', 'rowCount', 'stats'],
    additionalProperties: false,
  },
  Line: {
    description: 'The columns, then a line for each row, then how it ended: without that line the answer broke off.',
    oneOf: [
      { type: 'object', properties: { columns }, required: ['columns'], additionalProperties: false },
      row,
      { type: 'object', properties: { end: { type: 'object', properties: { rowCount: count, commit, stats }, required: ['rowCount', 'stats'], additionalProperties: false } }, required: ['end'], additionalProperties: false },
      { $ref: '#/components/schemas/Error' },
    ],
  },
  Error: { type: 'object', properties: { error }, required: ['error'], additionalProperties: false },
  ImportAnswer: {
    type: 'object',
    properties: { rowCount: count, skipped: { ...count, description: 'Lines that were wrong.' }, errors: lineErrors, commit, stats },
    required: ['rowCount', 'skipped', 'errors', 'commit', 'stats'],
    additionalProperties: false,
  },
  ImportRefusal: {
    description: 'Nothing was imported: in `errors` stands which lines are wrong, if that is the reason.',
    type: 'object',
    properties: { error, linesFailed: count, errors: lineErrors },
    required: ['error'],
    additionalProperties: false,
  },
  Health: { type: 'object', properties: { status: { enum: ['live', 'ready'] } }, required: ['status'], additionalProperties: false },
  Done: { type: 'object', properties: { done: { const: true } }, required: ['done'], additionalProperties: false },
  LostShards: {
    type: 'object',
    properties: {
      lost: {
        type: 'array',
        items: {
          type: 'object',
          properties: { shard: count, copies: { type: 'array', items: { type: 'object', properties: { node: { type: 'string' }, store: { type: 'string' }, epoch: count, sequence: count }, required: ['node', 'store', 'epoch', 'sequence'], additionalProperties: false } } },
          required: ['shard', 'copies'],
          additionalProperties: false,
        },
      },
    },
    required: ['lost'],
    additionalProperties: false,
  },
  Status: {
    type: 'object',
    properties: { version: { type: 'string' } },
    required: ['version'],
    additionalProperties: { description: 'What a person wants to know of the node, its shards and tables; there may be more with each version.' },
  },
} as const
