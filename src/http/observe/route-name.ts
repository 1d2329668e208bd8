/** Names of routes for logs and metrics: few, whatever clients ask for. */

const names: Readonly<Record<string, string>> = {
  '/query': 'query',
  '/import': 'import',
  '/status': 'status',
  '/metrics': 'metrics',
  '/openapi.json': 'openapi',
  '/health/live': 'health',
  '/health/ready': 'health',
}

export function routeOf(url = ''): string {
  if (url === '/query') return 'query'
  const end = url.indexOf('?')
  if (url.startsWith('/cluster/')) return 'cluster'
  return names[end < 0 ? url : url.slice(0, end)] ?? 'other'
}
