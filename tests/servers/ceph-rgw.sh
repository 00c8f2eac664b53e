#!/bin/bash
# An S3 server: Ceph's RADOS Gateway over one monitor and one store in memory.  Needs no root.
# usage: ceph-rgw.sh start DIR            MEMSTORE_BYTES: size of the store (1 GiB); memory is taken as it fills
#        ceph-rgw.sh stop DIR
#        ceph-rgw.sh kill-gateway DIR     kill -9 of the gateway alone; what it has acknowledged stays
#        ceph-rgw.sh start-gateway DIR    again, on the same ports
# start prints S3_ENDPOINT (also reached as http://localhost and, bucket by bucket, http://BUCKET.localhost),
# S3_TLS_ENDPOINT, S3_CA (a file), S3_LOG (a line "beast: … "METHOD /path" status bytes" for each request), AWS_ACCESS_KEY_ID,
# AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
set -u
. "$(dirname "$0")/common.bash"

access_key=TESTACCESSKEY01 secret_key=testsecretkey0123456789

# Made for one user and one short life: no replicas, no housekeeping, no delays before agreement of one.
write_config() {
	cat >"$dir/ceph.conf" <<-END
		[global]
		fsid = $fsid
		mon_host = v2:127.0.0.1:$mon_port/0
		mon_data = $dir/mon
		osd_data = $dir/osd
		keyring = $dir/keyring
		run_dir = $dir
		admin_socket =
		log_file =
		log_to_file = false
		log_to_stderr = true
		err_to_stderr = true
		mon_cluster_log_file =
		auth_cluster_required = cephx
		auth_service_required = cephx
		auth_client_required = cephx
		auth_allow_insecure_global_id_reclaim = false
		ms_bind_ipv6 = false
		public_addr = 127.0.0.1
		cluster_addr = 127.0.0.1
		mon_allow_pool_size_one = true
		mon_data_avail_crit = 1
		mon_max_pg_per_osd = 1000
		mon_election_default_strategy = 1
		paxos_propose_interval = 0.02
		paxos_min_wait = 0.01
		osd_pool_default_size = 1
		osd_pool_default_min_size = 1
		osd_pool_default_pg_num = 1
		osd_pool_default_pgp_num = 1
		osd_pool_default_pg_autoscale_mode = off
		osd_crush_chooseleaf_type = 0
		osd_op_num_shards = 2
		osd_mclock_skip_benchmark = true
		osd_scrub_load_threshold = 0
		osd_objectstore = memstore
		memstore_device_bytes = ${MEMSTORE_BYTES:-1073741824}
		rgw_dns_name = localhost
		rgw_thread_pool_size = 32
		rgw_enable_usage_log = false
		rgw_enable_gc_threads = false
		rgw_enable_lc_threads = false
		rgw_run_sync_thread = false
		rgw_gc_max_objs = 8
		rgw_lc_max_objs = 8
		rgw_usage_max_shards = 1
		rgw_reshard_num_logs = 1
		rgw_num_control_oids = 1
		rgw_md_log_max_shards = 1
		rgw_data_log_num_shards = 1
		debug_rgw = 1/1
	END
}

make_keys() {
	ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' &&
		ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' &&
		ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' &&
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/tls.key" -out "$dir/tls.crt" \
			-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1
} >"$dir/keys.log" 2>&1

# The monitor's address is part of its data, so a taken port means to begin again.
start_monitor() {
	for _ in 1 2 3 4 5; do
		mon_port=$(server_port) && write_config && rm -rf "$dir/mon" && mkdir "$dir/mon" || return
		{ monmaptool --create --clobber --fsid "$fsid" --addv a "v2:127.0.0.1:$mon_port/0" "$dir/monmap" &&
			ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"; } >"$dir/mkfs.log" 2>&1 || return
		server_run mon ceph-mon -f -i a -c "$CEPH_CONF"
		server_up mon server_listens "$mon_port" && return
	done
	return 1
}

start_store() {
	local uuid
	uuid=$(cat /proc/sys/kernel/random/uuid) && mkdir -p "$dir/osd" || return
	# "ceph osd new" is a slow program: it runs while the store is made.
	ceph --connect-timeout 60 osd new "$uuid" 0 >"$dir/osd-new.log" 2>&1 &
	ceph-osd -i 0 --mkfs --osd-uuid "$uuid" -c "$CEPH_CONF" >"$dir/osd-mkfs.log" 2>&1 && wait $! || return
	server_run osd ceph-osd -f -i 0 -c "$CEPH_CONF"
}

# start_gateway PORT: TLS on the next one.
start_gateway() {
	local frontend="beast endpoint=127.0.0.1:$1 ssl_endpoint=127.0.0.1:$(($1 + 1))"
	server_run rgw radosgw -f -n client.admin -c "$CEPH_CONF" \
		--rgw-frontends "$frontend ssl_certificate=$dir/tls.crt ssl_private_key=$dir/tls.key"
	server_up rgw server_listens "$1" && echo "$1" >"$dir/port"
}

server_enter "$@"
export CEPH_CONF=$dir/ceph.conf
case $1 in
start)
	server_needs ceph ceph-mon ceph-osd ceph-authtool monmaptool radosgw radosgw-admin openssl perl
	server_watch
	fsid=$(cat /proc/sys/kernel/random/uuid)
	: >"$CEPH_CONF"
	make_keys || server_die "cannot make keys"
	start_monitor || server_die "the monitor did not start"
	start_store || server_die "the store did not start"
	radosgw-admin user create --uid=test --display-name=test --access-key="$access_key" --secret-key="$secret_key" \
		>"$dir/user.log" 2>&1 || server_die "cannot make a user"
	for _ in 1 2 3 4 5; do
		port=$(server_port 2) && start_gateway "$port" && break
		port=
	done
	[ -n "$port" ] || server_die "the gateway did not start"
	server_export S3_ENDPOINT "http://127.0.0.1:$port"
	server_export S3_TLS_ENDPOINT "https://127.0.0.1:$((port + 1))"
	server_export S3_CA "$dir/tls.crt"
	server_export S3_LOG "$dir/rgw.log"
	server_export AWS_ACCESS_KEY_ID "$access_key"
	server_export AWS_SECRET_ACCESS_KEY "$secret_key"
	server_export AWS_DEFAULT_REGION us-east-1
	;;
stop)
	for name in watch rgw osd mon; do
		server_end "$name" KILL # nothing of it is kept
	done
	;;
kill-gateway)
	server_end rgw KILL
	# threads that are still dying hold its port, and would be taken for the next one
	for ((i = 0; i < 100; i++)); do
		server_listens "$(cat "$dir/port")" || break
		sleep 0.05
	done
	;;
start-gateway)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		start_gateway "$(cat "$dir/port")" && exit
		sleep 0.2
	done
	server_die "the gateway did not start again"
	;;
*)
	echo "usage: $(basename "$0") start|stop|kill-gateway|start-gateway DIR" >&2
	exit 129
	;;
esac
