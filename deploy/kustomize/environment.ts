import { serveConfig as counter } from '../../apps/counter/src/config.ts'
import { apiConfig, consumerConfig } from '../../apps/load-tolerant-api/src/config.ts'
import { serveConfig as messageStore } from '../../apps/message-store/src/config.ts'
import { controlPlaneConfig, workerConfig } from '../../apps/scaler/src/config.ts'

const commands = [counter, messageStore, controlPlaneConfig, workerConfig, apiConfig, consumerConfig]

const variableOf = (prefix: string, option: string): string =>
  `${prefix}_${option.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** Canonical names of all variables that the long-running commands read; each may also end in _FILE. */
export const variables: ReadonlySet<string> = new Set(
  commands.flatMap(({ prefix, options }) => Object.keys(options).map((option) => variableOf(prefix, option))),
)

/** Decided for all deployments by the apps' own defaults, by option: whoever adds an option decides here, or in a ConfigMap. */
export const leftAtDefault: Readonly<Record<string, string>> = {
  'BODY_LIMIT_BYTES REQUEST_TIMEOUT_MS RATE_LIMIT_PER_SECOND RATE_LIMIT_BURST MAX_QUEUED MAX_QUEUED_BYTES MAX_IN_FLIGHT MAX_WAIT_MS MAX_STREAMS MAX_STORE_WAITS MAX_BLOB_BYTES UPLOAD_TIMEOUT_MS':
    'limits that do not depend on where it runs',
  'TLS_CLIENT_CA AUTH_SUBJECTS': 'mutual TLS is a matter of the cluster that has an authority for it',
  'OTLP_ENDPOINT TRACE_SAMPLE_PERCENT': 'no traces without a collector',
  WORKERS: 'one process per pod: replicas are what the autoscaler counts',
  'DATED_KEYS TOKEN_WINDOW_MS MAX_TOKENS STORE_TIMEOUT_MS FLUSH_INTERVAL_MS STREAM_POLL_MS LOCK_TIMEOUT_MS AUDIT_LOG BUFFERED':
    'promises of the counter to its callers',
  'TIER TIER_BYTES COMPRESSION QUOTA_BYTES FAMILY_QUOTAS FAMILY_TTLS FAMILIES EVICT DELETE COMPAT PUBLIC_URL SCRUB_BYTES_PER_SECOND SCRUB_EVERY_MS':
    'what the message store is used for',
  'LEADER_TTL_MS LEASE_TTL_MS JOIN_SETTLE_MS REBALANCE_INTERVAL_MS IMBALANCE_PERMILLE STRATEGY ZONES ZONE CHURN_BUDGET_ROWS MAX_PLANS_PER_SECOND MAX_JOINS_PER_SECOND AUDIT_INTERVAL_MS AUDIT_MAX_ROWS':
    'how the scaler plans',
  'AUTOSCALE_DRY_RUN SCALE_UP_STEP SCALE_DOWN_STEP SCALE_UP_COOLDOWN_MS SCALE_DOWN_COOLDOWN_MS SCALE_SLACK_PERMILLE SCHEDULE':
    'can be changed while it runs: scaler limits',
  'NAME CONSUMER_NAME': 'the name of the pod',
  'WEIGHT WATCH_LIMIT REGISTRY': 'for people who look',
  'QUEUE_MAX_ENTRIES QUEUE_MAX_BYTES QUEUE_MAX_AGE_MS WANT_FSYNCED WANT_REPLICAS STORE_WAIT_MS TIMESTAMPS STRICT_ASSESSMENT CACHE_TTL_MS CACHE_STALE_MS':
    'promises of the load-tolerant API to its callers',
  'PARTITIONS MAX_BATCH_DOCUMENTS MAX_BATCH_BYTES BATCH_DELAY_MS COMMAND_TARGET_MS CLAIM_TIMEOUT_MS MAX_TAKEOVERS':
    'how the consumer batches',
}
