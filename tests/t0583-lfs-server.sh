#!/bin/sh
test_description='git-dvx called git-lfs with a Git LFS server: transfers and locks beside Debian'"'"'s git-lfs'
. "$(dirname "$0")/lib.sh"
. "$dvx_top/tests/servers-lib.sh"
. "$dvx_top/tests/lfs-name-lib.sh"
skip_all_unless DVXSERVER 'needs libmicrohttpd for git-dvx-server'
skip_all_unless GITLFS 'the original is compared with'

# Each user has a repository on the server, and with it locks.
test_expect_success 'a server, two users' '
	echo "us:$(openssl passwd -apr1 word)" >accounts && echo "them:$(openssl passwd -apr1 word)" >>accounts &&
	start_dvx_server --store "$TRASH/store" --htpasswd "$TRASH/accounts" && lfs_users &&
	for user in us them; do
		$user "git config lfs.url \"http://us:word@${DVX_SERVER_URL#http://}/$user\" && git config lfs.locksverify true && git remote add origin ../up.git" || return
	done
'
both 'git lfs track "*.bin" && for i in 1 2 3; do echo $i >$i.bin; done && git add . && git commit -qm 1'
both_status 'git lfs push origin main'
both_status 'git push -q origin main'
both 'rm -r .git/lfs/objects && git lfs fetch && git lfs ls-files --json'
both 'rm -r 1.bin .git/lfs/objects && git lfs pull && cat 1.bin'
both 'git lfs locks'
both 'git lfs locks --json'
both 'git lfs lock 1.bin'
both_status 'git lfs lock 1.bin'
both 'git lfs locks | sed "s/ID:.*//"'
both 'git lfs locks --verify | sed "s/ID:.*//"'
both 'git lfs locks --local | sed "s/ID:.*//"'
both 'git lfs locks --cached | sed "s/ID:.*//"'
both 'git lfs lock --json 2.bin | sed "s/\"id\":\"[^\"]*\"//; s/\"locked_at\":\"[^\"]*\"//"'
both 'git lfs locks --path 1.bin | sed "s/ID:.*//"'
both 'git lfs unlock 1.bin'
both_status 'git lfs unlock 1.bin'
both 'git lfs unlock --json 2.bin'
both_status 'git lfs unlock'
both_status 'git lfs unlock --id nothing'
both 'git lfs lock 1.bin 3.bin'

test_expect_success 'a file that another has locked is not pushed' '
	for user in us them; do
		$user "echo other >>3.bin && git commit -qam other &&
			git config lfs.url \"http://them:word@${DVX_SERVER_URL#http://}/$user\"" &&
		test_expect_code 2 $user "git lfs push origin main" >out 2>&1 && cat out && grep 3.bin out && ! grep 1.bin out || return
	done
'
both_status 'git push -q origin main'
both_status 'git lfs unlock 3.bin'
both_out 'git lfs unlock --force 3.bin'
both_status 'git lfs push origin main'
both_status 'git push -q origin main'

test_expect_success 'wrong password: no prompt, a failure' '
	for user in us them; do
		$user "git config lfs.url \"http://us:wrong@${DVX_SERVER_URL#http://}/$user\" && echo more >>2.bin && git commit -qam more" &&
		test_expect_code 2 $user "GIT_ASKPASS=true git lfs push origin main" || return
	done
'

test_done
