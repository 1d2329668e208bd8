/** The analytic queries, one text for all contestants. */
export interface PeerQuery {
  readonly name: string
  readonly sql: string
  /** One execution for each. */
  readonly parameters?: readonly (readonly number[])[]
}

/** Lies among the amounts and is none, so that no statistics can tell. */
const noAmount = 500.005

export function peerQueries(rowCount: number, lookups: number): readonly PeerQuery[] {
  const from = Math.floor(rowCount * 0.4), to = from + Math.floor(rowCount / 100)
  const summary = 'SELECT COUNT(*) AS n, SUM(amount) AS total, MIN(amount) AS low, MAX(amount) AS high FROM sales'
  const keys = Array.from({ length: lookups }, (_, i) => [(i * 7_919_999) % rowCount])
  return [
    { name: 'point lookup', sql: 'SELECT user_id, region, amount FROM sales WHERE id = $1', parameters: keys },
    { name: '1 % key range, aggregate', sql: `${summary} WHERE id >= ${from} AND id < ${to}` },
    { name: '1 % key range, rows', sql: `SELECT id, user_id, region, amount FROM sales WHERE id >= ${from} AND id < ${to}` },
    { name: '1 % key range, rows in order', sql: `SELECT id, user_id, region, amount FROM sales WHERE id >= ${from} AND id < ${to} ORDER BY id` },
    { name: 'summary', sql: summary },
    { name: 'summary, scanned', sql: `${summary} WHERE amount <> ${noAmount}` },
    // Of each row group some rows are left out, so that what is known of all its rows is of no use.
    { name: 'summary of nine tenths', sql: `${summary} WHERE amount < 900` },
    { name: 'average', sql: 'SELECT AVG(amount) AS average, AVG(user_id) AS average_user FROM sales' },
    { name: '1 % filter, aggregate', sql: `${summary} WHERE amount >= 990` },
    { name: '1 % filter, rows', sql: 'SELECT id, user_id, region, amount FROM sales WHERE amount >= 990' },
    { name: 'text equality, aggregate', sql: "SELECT COUNT(*) AS n, SUM(amount) AS total FROM sales WHERE region = 'region 17'" },
    { name: 'GROUP BY region', sql: 'SELECT region, COUNT(*) AS n, SUM(amount) AS total FROM sales GROUP BY region' },
    { name: 'GROUP BY region, average', sql: 'SELECT region, AVG(amount) AS average, MIN(status) AS first FROM sales GROUP BY region ORDER BY region' },
    { name: 'GROUP BY user_id, top 10', sql: 'SELECT user_id, COUNT(*) AS n, SUM(amount) AS total FROM sales GROUP BY user_id ORDER BY SUM(amount) DESC LIMIT 10' },
    { name: 'GROUP BY user_id, HAVING', sql: 'SELECT user_id, SUM(amount) AS total FROM sales GROUP BY user_id HAVING COUNT(*) > 1000 ORDER BY user_id LIMIT 100' },
    { name: 'OR, IN and a product by region', sql: "SELECT region, SUM(amount * 2) AS total FROM sales WHERE status IN ('paid', 'void') OR amount > 900 GROUP BY region" },
    { name: 'GROUP BY a computed slot of time', sql: 'SELECT ts - ts % 1000000 AS slot, COUNT(*) AS n FROM sales GROUP BY ts - ts % 1000000' },
    { name: 'SUM of CASE', sql: "SELECT SUM(CASE WHEN status = 'paid' THEN amount ELSE 0 END) AS paid, COUNT(CASE WHEN amount > 500 THEN 1 END) AS large FROM sales" },
    { name: 'LIKE, aggregate', sql: "SELECT COUNT(*) AS n, SUM(user_id * 3) AS weight FROM sales WHERE region LIKE '%7'" },
    { name: 'COUNT(DISTINCT user_id)', sql: 'SELECT COUNT(DISTINCT user_id) AS n FROM sales' },
    { name: 'ORDER BY amount LIMIT 10', sql: 'SELECT amount FROM sales ORDER BY amount LIMIT 10' },
    { name: 'ORDER BY amount DESC, id LIMIT 10', sql: 'SELECT id, ts, user_id, region, amount, status FROM sales ORDER BY amount DESC, id LIMIT 10' },
    { name: 'ORDER BY region, amount LIMIT 10', sql: "SELECT region, amount, id FROM sales WHERE status = 'paid' ORDER BY region, amount, id LIMIT 10" },
  ]
}
