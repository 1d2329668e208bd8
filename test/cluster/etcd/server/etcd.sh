#!/usr/bin/env bash
# etcd members for tests, on loopback only, without syncing to disk.
# usage: etcd.sh DIR WATCHED_PID SCHEME 'CLIENT_PORT:PEER_PORT …' [further arguments of every member]
# Member i is started as mI and its process id stands in DIR/mI.pid; DIR/mI.log is what it says.
# Ends, with all that it started, on SIGTERM or when WATCHED_PID is gone.
set -euo pipefail
dir=$1 watched=$2 scheme=$3 ports=$4
shift 4
started=()

# Also of members that a test has stopped; what they held is for nobody.
end_all() {
  trap - EXIT
  for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$dir"/m*.data
}
trap end_all EXIT
trap 'exit 0' TERM INT HUP

cluster=''
number=0
for pair in $ports; do
  number=$((number + 1))
  cluster+="${cluster:+,}m$number=http://127.0.0.1:${pair#*:}"
done
number=0
for pair in $ports; do
  number=$((number + 1))
  name=m$number client=$scheme://127.0.0.1:${pair%:*} peer=http://127.0.0.1:${pair#*:}
  etcd --name "$name" --data-dir "$dir/$name.data" --logger zap --log-level warn --unsafe-no-fsync \
    --listen-client-urls "$client" --advertise-client-urls "$client" --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" \
    --initial-cluster "$cluster" --initial-cluster-state new --initial-cluster-token "$dir" \
    --heartbeat-interval 50 --election-timeout 500 --experimental-watch-progress-notify-interval 200ms "$@" >"$dir/$name.log" 2>&1 &
  started+=("$!")
  echo "$!" >"$dir/$name.pid"
done
echo started

# Asleep in the background, so that a signal is heard at once.
while kill -0 "$watched" 2>/dev/null; do
  sleep 1 &
  wait $! || true
done
