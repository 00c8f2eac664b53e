#!/bin/sh
test_description='agents that send the same object: that one gives up does not make the other say that it was sent'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/transfer-lib.sh"

# give_up WHICH: two agents wait for a third that settles (we have its lock); the first or second that came is interrupted.
give_up() {
	python3 - "$1" "$TRASH/store" "$oid" "$TRASH/$(object_path repo "$oid")" <<-\END
		import fcntl, glob, json, os, select, signal, subprocess, sys, time
		which, store, oid, path = sys.argv[1:]
		def say(agent, **event):
		    agent.stdin.write(json.dumps(event).encode() + b"\n")
		def answer(agent, seconds):
		    return agent.stdout.readline() if select.select([agent.stdout], [], [], seconds)[0] else b""
		agents = []
		for _ in range(2):
		    agent = subprocess.Popen(["git-dvx-transfer", "agent", "--store", store], cwd="repo", bufsize=0,
		                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		    agents.append(agent)
		    say(agent, event="init", operation="upload", remote="origin", concurrent=True)
		    assert answer(agent, 60) == b"{}\n"
		place, = glob.glob("repo/.git/dvx/agent/*")
		lock = os.open(place + "/settle.lock", os.O_RDWR | os.O_CREAT, 0o600)
		fcntl.flock(lock, fcntl.LOCK_EX)
		for agent in agents:
		    say(agent, event="upload", oid=oid, size=os.stat(path).st_size, path=path)
		    while not glob.glob(place + "/incoming/*/" + oid):
		        time.sleep(0.01)
		    time.sleep(0.5)
		gone = agents.pop(which == "second")
		gone.send_signal(signal.SIGINT)
		gone.wait()
		early = answer(agents[0], 1)
		assert not early, early
		os.close(lock)
		while b'"complete"' not in (line := answer(agents[0], 60)):
		    assert b'"progress"' in line, line
		assert b"error" not in line, line
		say(agents[0], event="terminate")
		sys.exit(agents[0].wait())
	END
}

test_expect_success 'the first gives up' '
	transfer_repo repo "$TRASH/store" && random_file data 50000 together && store_file repo data >request && oid=$(oid_of data) &&
	give_up first && rm -rf other && transfer_repo other "$TRASH/store" && download other request && has_objects other request
'

test_expect_success 'the second gives up' '
	rm -rf store other repo/.git/dvx && give_up second && transfer_repo other "$TRASH/store" && download other request && has_objects other request
'

test_done
