#!/bin/sh
# start.sh redis|sentinel: one of the servers that watch over each other. SELF is this one's host, ALL are everybody's, of whom the first
# is the primary of the very first start. Whoever starts asks the other Sentinels who the primary is; their answer counts more than
# what this server was before it ended. Volumes are never emptied by mistake: see `has_data`.
set -eu
port=${REDIS_PORT:-6379}
sentinel_port=${SENTINEL_PORT:-26379}
first=${ALL%% *}
export REDISCLI_AUTH="$REDIS_PASSWORD"

# The primary, as the Sentinel of another host says that saw the last fail-over; nothing when none answers.
named() {
  for host in $ALL; do
    [ "$host" = "$SELF" ] && continue
    # Without a password: Sentinels have none.
    env -u REDISCLI_AUTH timeout 3 redis-cli -h "$host" -p "$sentinel_port" --raw sentinel master ballast 2>/dev/null | awk '
      before == "ip" { ip = $0 } before == "config-epoch" { epoch = $0 } { before = $0 }
      END { if (ip != "") print epoch, ip }' || true
  done | sort -n | tail -n 1 | cut -d " " -f 2
}

has_data() { [ -d "$DATA/appendonlydir" ] && [ "$(cat "$DATA"/appendonlydir/* | wc -c)" -gt 1024 ]; }

redis() {
  primary=$(named)
  if [ "$primary" = "$SELF" ] && ! has_data; then
    echo "start.sh: this was the primary and its volume is empty: it waits until the Sentinels have promoted another one"
    while [ "$primary" = "$SELF" ]; do
      sleep 1
      primary=$(named)
    done
  fi
  if [ -z "$primary" ] && [ ! -e "$DATA/redis.conf" ]; then primary=$first; fi
  if [ -n "$primary" ] && [ "$primary" != "$SELF" ] && has_data; then
    case $(timeout 3 redis-cli -h "$primary" -p "$port" info keyspace 2>/dev/null || true) in
      *"# Keyspace"*db*) ;;
      *"# Keyspace"*)
        echo "start.sh: $primary is the primary and is empty, this volume is not: to follow it would lose everything." >&2
        echo "start.sh: make a server with data the primary (redis-cli replicaof no one), or empty this volume on purpose" >&2
        exit 1
        ;;
    esac
  fi
  # What it is stands in the file, which a fail-over rewrites. Nobody to ask: it is what it was.
  touch "$DATA/redis.conf"
  if [ -n "$primary" ]; then
    { grep -v '^replicaof ' "$DATA/redis.conf" || true; } > "$DATA/redis.conf.new"
    [ "$primary" = "$SELF" ] || echo "replicaof $primary $port" >> "$DATA/redis.conf.new"
    mv "$DATA/redis.conf.new" "$DATA/redis.conf"
  fi
  # The queue may grow to 512 MiB: a shorter log is not written anew while the queue is filling.
  # A primary that no replica follows takes no writes: nobody would have them when it is gone.
  exec redis-server "$DATA/redis.conf" --dir "$DATA" --port "$port" --bind "${BIND:-*}" --protected-mode no \
    --appendonly yes --appendfsync always --no-appendfsync-on-rewrite no --auto-aof-rewrite-min-size 512mb --save '' \
    --maxmemory "${MAX_MEMORY:-0}" --maxmemory-policy noeviction \
    --min-replicas-to-write 1 --min-replicas-max-lag 10 --repl-diskless-sync-delay 0 \
    --replica-announce-ip "$SELF" --requirepass "$REDIS_PASSWORD" --masterauth "$REDIS_PASSWORD"
}

sentinel() {
  file=$DATA/sentinel.conf
  if [ ! -e "$file" ]; then
    primary=$(named)
    # The same name on a new volume: the others would count the old one for ever, and want a majority of four.
    cat > "$file.new" <<END
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $SELF
sentinel myid $(printf %s "$SELF" | sha1sum | cut -c 1-40)
sentinel monitor ballast ${primary:-$first} $port 2
sentinel down-after-milliseconds ballast ${DOWN_AFTER_MS:-5000}
sentinel failover-timeout ballast ${FAILOVER_TIMEOUT_MS:-60000}
sentinel parallel-syncs ballast 1
END
  else
    # The password may be another one since.
    grep -v '^sentinel auth-pass' "$file" > "$file.new"
  fi
  echo "sentinel auth-pass ballast $REDIS_PASSWORD" >> "$file.new"
  mv "$file.new" "$file"
  exec redis-server "$file" --sentinel --port "$sentinel_port" --bind "${BIND:-*}" --protected-mode no --dir "${TMPDIR:-/tmp}"
}

"$1"
