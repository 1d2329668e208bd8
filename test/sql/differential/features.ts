/**
 * What of SQL the generator may use. Each feature has a probe, a statement that needs it and nothing else: a feature
 * is generated when its probe is answered, and left out when it is refused with 0A000. Features in `promised` must be
 * answered, so that one lost again is a failure and not a silence.
 */
import { LsmtError } from '../../../src/errors.ts'
import type { Sql } from '../../../src/sql/sql.ts'

const probes = {
  orNot: 'SELECT id FROM probe WHERE id = 1 OR NOT n = 2',
  in: 'SELECT id FROM probe WHERE n IN (1, NULL) AND t NOT IN (\'a\')',
  between: 'SELECT id FROM probe WHERE n BETWEEN 1 AND 2',
  notBetween: 'SELECT id FROM probe WHERE n NOT BETWEEN 1 AND 2',
  like: "SELECT id FROM probe WHERE t LIKE 'a%' AND t NOT LIKE '%b_'",
  likeEscape: "SELECT id FROM probe WHERE t LIKE 'a!%%' ESCAPE '!'",
  distinctFrom: 'SELECT id FROM probe WHERE n IS DISTINCT FROM 1',
  expressions: 'SELECT n + 1, id < n, t FROM probe WHERE n * 2 < id - 1 AND b',
  division: 'SELECT id / NULLIF(n, 0), id % NULLIF(n, 0) FROM probe',
  concatenation: "SELECT t || 'x' FROM probe",
  case: "SELECT CASE WHEN n > 1 THEN 'a' ELSE t END, CASE n WHEN 1 THEN 2 END FROM probe",
  functions: 'SELECT COALESCE(n, 1), NULLIF(n, 1), ABS(n), LENGTH(t), LOWER(t), UPPER(t) FROM probe',
  textFunctions: "SELECT SUBSTR(t, 1, 2), REPLACE(t, 'a', 'b'), TRIM(t) FROM probe",
  cast: 'SELECT CAST(n AS DOUBLE PRECISION), CAST(n AS TEXT) FROM probe',
  distinct: 'SELECT DISTINCT n, t FROM probe',
  groupBy: 'SELECT n, COUNT(*), SUM(id) FROM probe GROUP BY n',
  groupByExpression: 'SELECT n + 1, MIN(id + 1) FROM probe GROUP BY 1',
  having: 'SELECT n, COUNT(*) FROM probe GROUP BY n HAVING COUNT(*) > 1',
  countDistinct: 'SELECT COUNT(DISTINCT n) FROM probe',
  filter: 'SELECT COUNT(*) FILTER (WHERE n > 1), SUM(n) FILTER (WHERE b) FROM probe',
  avg: 'SELECT AVG(n), AVG(d) FROM probe',
  aggregateExpression: 'SELECT SUM(n + 1), COUNT(*) + 1 FROM probe',
  orderByAny: 'SELECT n, t FROM probe ORDER BY 2 DESC, n NULLS FIRST, d NULLS LAST',
  join: 'SELECT x.id FROM probe AS x JOIN probe AS y ON x.id = y.n',
  leftJoin: 'SELECT x.id, y.t FROM probe AS x LEFT JOIN probe AS y ON x.id = y.n AND y.id > 1',
  rightJoin: 'SELECT x.id, y.t FROM probe AS x RIGHT JOIN probe AS y ON x.id = y.n',
  fullJoin: 'SELECT x.id, y.t FROM probe AS x FULL JOIN probe AS y ON x.id = y.n AND y.id > 1',
  using: 'SELECT id, x.n FROM probe AS x FULL JOIN probe AS y USING (id)',
  crossJoin: 'SELECT x.id FROM probe AS x CROSS JOIN probe AS y WHERE x.id < y.n',
  natural: 'SELECT id, x.n FROM probe AS x NATURAL LEFT JOIN (SELECT id FROM probe) AS y',
  onQuery: 'SELECT x.id FROM probe AS x LEFT JOIN probe AS y ON x.id = y.n AND EXISTS (SELECT 1 FROM probe AS z WHERE z.n = x.id + y.id)',
  inQuery: 'SELECT id FROM probe WHERE n IN (SELECT id FROM probe)',
  exists: 'SELECT id FROM probe AS x WHERE EXISTS (SELECT 1 FROM probe AS y WHERE y.n = x.id)',
  scalarQuery: 'SELECT id FROM probe WHERE n < (SELECT MAX(id) FROM probe)',
  correlatedScalar: 'SELECT id FROM probe AS x WHERE n < (SELECT COUNT(*) FROM probe AS y WHERE y.n = x.n)',
  fromQuery: 'SELECT s.m FROM (SELECT n AS m FROM probe) AS s',
  common: 'WITH w AS (SELECT id, n FROM probe), v AS MATERIALIZED (SELECT n FROM w) SELECT a.id FROM w AS a JOIN w AS b ON a.id = b.n WHERE a.n IN (SELECT n FROM v)',
  setOperations: 'SELECT n FROM probe UNION SELECT id FROM probe',
  intersectExcept: 'SELECT n FROM probe EXCEPT SELECT id FROM probe',
  deleteWhere: 'DELETE FROM probe WHERE n = 5',
  updateWhere: "UPDATE probe SET t = 'x' WHERE n = 5",
  writeConditions: "UPDATE probe SET t = 'x' WHERE (t LIKE 'a!%' ESCAPE '!' OR CAST(n AS TEXT) = '5') AND CASE WHEN ABS(n + 1) = 7 THEN b END",
  updateExpression: 'UPDATE probe SET n = n + 1 WHERE id = 5',
  writeQueries: 'UPDATE probe SET n = (SELECT COUNT(*) FROM probe AS x WHERE x.n = probe.id) WHERE id IN (SELECT n FROM probe) AND EXISTS (SELECT 1 FROM probe AS y WHERE y.n = probe.id)',
  insertExpression: "INSERT INTO probe (id, n, t) VALUES (1 + 900, 5, 'a' || 'b'), (902, (SELECT MAX(n) FROM probe), UPPER('x'))",
  returning: 'DELETE FROM probe WHERE id = 901 RETURNING n + 1, UPPER(t)',
  conflictExpression: 'INSERT INTO probe (id, n) VALUES (7, 1) ON CONFLICT (id) DO UPDATE SET n = probe.n + excluded.n * 2 WHERE probe.n < 5 OR excluded.n > 3',
  updateFrom: 'UPDATE probe SET n = x.n FROM probe AS x WHERE x.id = probe.n',
  conflictNothing: 'INSERT INTO probe (id) VALUES (7) ON CONFLICT DO NOTHING',
  conflictUpdate: 'INSERT INTO probe (id, n) VALUES (7, 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n',
  addColumn: 'ALTER TABLE probe ADD COLUMN added BIGINT',
  addColumnDefault: 'ALTER TABLE probe ADD COLUMN filled BIGINT DEFAULT 5',
  renameColumn: 'ALTER TABLE probe RENAME COLUMN b TO flag',
  dropColumn: 'ALTER TABLE probe DROP COLUMN d',
  truncate: 'TRUNCATE TABLE probe',
  transaction: 'BEGIN; UPDATE probe SET n = 1 WHERE id = 5; COMMIT',
  insertQuery: 'INSERT INTO probe (id, n) SELECT id + 100, n FROM probe',
} as const

export type Feature = keyof typeof probes
export type Features = ReadonlySet<Feature>

/** Features that the project says it has. */
export const promised: readonly Feature[] = ['orNot', 'in', 'between', 'notBetween', 'like', 'likeEscape', 'distinctFrom', 'expressions', 'division', 'concatenation', 'case', 'functions', 'textFunctions', 'cast', 'distinct', 'groupBy', 'groupByExpression', 'having', 'countDistinct', 'filter', 'avg', 'aggregateExpression', 'orderByAny', 'join', 'leftJoin', 'rightJoin', 'fullJoin', 'using', 'crossJoin', 'natural', 'onQuery', 'inQuery', 'exists', 'scalarQuery', 'correlatedScalar', 'fromQuery', 'common', 'setOperations', 'intersectExcept', 'deleteWhere', 'updateWhere', 'writeConditions', 'updateExpression', 'writeQueries', 'insertExpression', 'returning', 'conflictExpression', 'updateFrom', 'conflictNothing', 'conflictUpdate', 'addColumn', 'addColumnDefault', 'renameColumn', 'dropColumn', 'truncate', 'transaction']

/** The features that a database answers. Any other refusal than 0A000 is an error. */
export async function supportedFeatures(sql: Sql): Promise<Features> {
  await sql.query('CREATE TABLE probe (id BIGINT PRIMARY KEY, n BIGINT, t TEXT, b BOOLEAN, d DOUBLE PRECISION)')
  const found = new Set<Feature>()
  for (const [feature, text] of Object.entries(probes) as [Feature, string][]) {
    try {
      await sql.query(text)
      found.add(feature)
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '0A000') throw new Error(`the probe of ${feature} failed: ${text}`, { cause: error })
    }
  }
  return found
}
