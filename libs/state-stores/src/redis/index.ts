export { RedisConnection, type RedisConnectionOptions } from './connection.ts'
export { parseRedisUrl, type RedisTarget } from './url.ts'
