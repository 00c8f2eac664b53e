#!/bin/bash
# A Git LFS server that nobody here wrote: JGit's debug-lfs-store, which keeps whole objects in a directory.  It knows
# neither locks nor ranges nor accounts.
# usage: jgit-lfs.sh start DIR
#        jgit-lfs.sh stop DIR
# start prints JGIT_URL (what lfs.url is to be) and JGIT_DIR (objects in aa/bb/<oid>).
set -u
. "$(dirname "$0")/common.bash"

# Debian's jgit has the code in jars of its own, which the program does not look for.
jars() {
	local name path=
	for name in org.eclipse.jgit.lfs org.eclipse.jgit.lfs.server org.eclipse.jgit.http.apache args4j gson httpclient httpcore \
		commons-compress javaewah jsch jetty9-server jetty9-servlet jetty9-http jetty9-io jetty9-util jetty9-security servlet-api \
		slf4j-api slf4j-nop; do
		path=$path:/usr/share/java/$name.jar
	done
	echo "${path#:}"
}

server_enter "$@"
case $1 in
start)
	server_needs java jgit
	server_watch
	mkdir -p "$dir/objects"
	for _ in 1 2 3; do
		port=$(server_port)
		url=http://127.0.0.1:$port/lfs
		JGIT_CLASSPATH=$(jars) JAVA_TOOL_OPTIONS='-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1' \
			server_run jgit jgit debug-lfs-store -p "$port" -u "http://127.0.0.1:$port/objects/" --store FS "$dir/objects"
		if server_up jgit server_listens "$port"; then
			server_export JGIT_URL "$url"
			server_export JGIT_DIR "$dir/objects"
			exit 0
		fi
	done
	server_die "the server did not start"
	;;
stop)
	server_end watch KILL
	server_end jgit KILL
	;;
*)
	echo "usage: $(basename "$0") start|stop DIR" >&2
	exit 129
	;;
esac
