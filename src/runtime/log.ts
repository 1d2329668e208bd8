/**
 * The log for operators: one JSON object a line. It tells what happened, how long it took and which request it was; what
 * stands in tables, statements' literals and tokens never goes there.
 */
import { pino } from 'pino'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  /** An `err` among the fields is told with its stack. */
  error(fields: LogFields, message: string): void
  /** Whether `debug` goes anywhere. */
  readonly isDebug: boolean
}

/** `write` gets each line with its line break. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } }
  const logger = pino(options, { write })
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    isDebug: logger.isLevelEnabled('debug'),
  }
}
