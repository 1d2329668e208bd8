#!/usr/bin/env bash
# A small S3 server for tests: Ceph's gateway over one monitor and one store in memory, on loopback only.
# usage: ceph.sh DIR S3_PORT MONITOR_PORT WATCHED_PID ACCESS_KEY SECRET_KEY
# Prints 'ready' when it serves. Ends, with all that it started, on SIGTERM or when WATCHED_PID is gone.
set -euo pipefail
dir=$1 s3_port=$2 monitor_port=$3 watched=$4 access_key=$5 secret_key=$6
started=()

stop_all() {
  trap - EXIT
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; done
  for _ in $(seq 30); do
    alive=0
    for pid in "${started[@]}"; do kill -0 "$pid" 2>/dev/null && alive=1; done
    [ "$alive" = 0 ] && break
    sleep 0.1
  done
  for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$dir/monitor" "$dir/store" "$dir/gateway" "$dir/run"
}
trap stop_all EXIT
trap 'exit 0' TERM INT HUP

daemon() {
  local name=$1
  shift
  "$@" >"$dir/log/$name.out" 2>&1 &
  started+=("$!")
}

mkdir -p "$dir"/{monitor,store,gateway,run,log}
cluster=$(cat /proc/sys/kernel/random/uuid)
cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $cluster
mon_host = [v2:127.0.0.1:$monitor_port/0]
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = true
keyring = $dir/keyring
run_dir = $dir/run
admin_socket = $dir/run/\$name.asok
pid_file = $dir/run/\$name.pid
log_file = $dir/log/\$name.log
log_to_stderr = false
mon_data = $dir/monitor
mon_data_avail_crit = 1
mon_data_avail_warn = 2
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
# One monitor has nobody to wait for.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
osd_data = $dir/store
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_memory_target = 939524096
osd_op_num_shards = 2
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
[client.rgw.test]
rgw_data = $dir/gateway
rgw_frontends = beast endpoint=127.0.0.1:$s3_port tcp_nodelay=1
rgw_thread_pool_size = 64
rgw_enable_usage_log = false
rgw_enable_quota_threads = false
rgw_run_sync_thread = false
CONF

ceph_with() {
  local program=$1
  shift
  "$program" -c "$dir/ceph.conf" "$@"
}
ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
for name in client.admin client.rgw.test osd.0; do
  ceph-authtool "$dir/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
done
monmaptool --create --clobber --fsid "$cluster" --addv a "[v2:127.0.0.1:$monitor_port]" "$dir/monmap" >/dev/null
ceph_with ceph-mon -i a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring"
daemon monitor ceph-mon -c "$dir/ceph.conf" -i a -f
store=$(cat /proc/sys/kernel/random/uuid)
ceph_with ceph osd new "$store" >/dev/null
ceph_with ceph-osd -i 0 --mkfs --osd-uuid "$store" >"$dir/log/store-made.out" 2>&1
daemon store ceph-osd -c "$dir/ceph.conf" -i 0 -f
daemon gateway radosgw -c "$dir/ceph.conf" -n client.rgw.test -f
for _ in $(seq 600); do
  (exec 3<>"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null && break
  for pid in "${started[@]}"; do kill -0 "$pid" || exit 1; done
  sleep 0.1
done
ceph_with radosgw-admin user create --uid=test --display-name=test --access-key="$access_key" --secret-key="$secret_key" >/dev/null
echo ready

# Asleep in the background, so that a signal is heard at once.
while kill -0 "$watched" 2>/dev/null; do
  sleep 1 &
  wait $! || true
done
