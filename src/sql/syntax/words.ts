/** PostgreSQL's words: which are reserved, and which of them name something that is not supported yet. */

/** Words that are never a name of a table or column unless quoted. */
export const reservedWords: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog
  current_date current_role current_time current_timestamp current_user default deferrable desc distinct do else end except false
  fetch for foreign from grant group having in initially intersect into lateral leading limit localtime localtimestamp not null
  offset on only or order placing primary references returning select session_user some symmetric system_user table then to
  trailing true union unique user using variadic when where window with authorization binary collation concurrently cross
  current_schema freeze full ilike inner is isnull join left like natural notnull outer overlaps right similar tablesample
  verbose between`.split(/\s+/),
)

/** Reserved words that begin a clause or expression this version does not have, and how messages call it. */
const unsupportedWords: ReadonlyMap<string, string> = new Map([
  ['array', 'ARRAY'], ['all', 'ALL'], ['any', 'ANY'], ['some', 'SOME'], ['case', 'CASE'], ['cast', 'CAST'], ['collate', 'COLLATE'], ['distinct', 'DISTINCT'],
  ['except', 'EXCEPT'], ['union', 'UNION'], ['intersect', 'INTERSECT'], ['fetch', 'FETCH'], ['for', 'FOR'], ['group', 'GROUP BY'],
  ['having', 'HAVING'], ['lateral', 'LATERAL'], ['only', 'ONLY'], ['or', 'OR'], ['using', 'USING'],
  ['window', 'WINDOW'], ['with', 'WITH'], ['cross', 'CROSS JOIN'], ['natural', 'NATURAL JOIN'], ['inner', 'JOIN'], ['left', 'LEFT JOIN'],
  ['right', 'RIGHT JOIN'], ['full', 'FULL JOIN'], ['join', 'JOIN'], ['like', 'LIKE'], ['ilike', 'ILIKE'], ['similar', 'SIMILAR TO'],
  ['overlaps', 'OVERLAPS'], ['isnull', 'ISNULL'], ['notnull', 'NOTNULL'], ['tablesample', 'TABLESAMPLE'],
  ['current_date', 'CURRENT_DATE'], ['current_time', 'CURRENT_TIME'], ['current_timestamp', 'CURRENT_TIMESTAMP'],
  ['localtime', 'LOCALTIME'], ['localtimestamp', 'LOCALTIMESTAMP'], ['current_user', 'CURRENT_USER'], ['session_user', 'SESSION_USER'],
  ['user', 'USER'],
])

/** Those of them that queries have. */
export const supportedInQueries: ReadonlySet<string> = new Set(
  'case cast distinct except union intersect group having or with cross inner left right full join like ilike isnull notnull using'.split(' '),
)

/** The same inside of CREATE TABLE. */
const unsupportedInDefinitions: ReadonlyMap<string, string> = new Map([
  ['check', 'CHECK'], ['default', 'DEFAULT'], ['references', 'REFERENCES'], ['foreign', 'FOREIGN KEY'], ['unique', 'UNIQUE'], ['collate', 'COLLATE'],
  ['exclude', 'EXCLUDE'], ['generated', 'GENERATED'], ['inherits', 'INHERITS'], ['partition', 'PARTITION BY'], ['tablespace', 'TABLESPACE'],
  ['like', 'LIKE'], ['as', 'CREATE TABLE AS'], ['deferrable', 'DEFERRABLE'], ['initially', 'INITIALLY'],
])

export function unsupportedWord(word: string, definition: boolean): string | undefined {
  return (definition ? unsupportedInDefinitions : unsupportedWords).get(word)
}

/** First words of statements that PostgreSQL or its kin have and this version does not. */
export const otherStatements: ReadonlySet<string> = new Set(
  `alter analyze call checkpoint close cluster comment copy create deallocate declare describe discard do drop execute
  explain fetch grant import listen load lock merge notify pragma prepare reassign refresh reindex replace reset
  revoke set show table truncate unlisten upsert use vacuum values with`.split(/\s+/),
)
