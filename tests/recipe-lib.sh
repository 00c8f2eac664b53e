# shellcheck shell=sh
# What the tests of recipes start from: the project of docs/what-changed.md with two versions of its model, the first one in
# production, and a Git remote that holds all of it.

churn_version() { # churn_version MESSAGE VERSION: run the pipeline, commit, register
	git dvx repro >/dev/null && git add . && git commit -q -m "$1" && git dvx model register churn_model models/churn.json --version "$2" >/dev/null
}
churn_project() { # churn_project DIR: made, pushed to DIR.git with its data in DIR.blobs, entered
	git init -q --bare -b main "$1.git" && dvx_repo "$1" >/dev/null && cd "$1" || return
	mkdir -p data/raw models ci && cp -r "$dvx_top/docs/what-changed/code" . && cp "$dvx_top/docs/recipes/gate.sh" ci &&
		git dvx remote add -d storage "$1.blobs" >/dev/null && git dvx track data/ models/ >/dev/null 2>&1 && git remote add origin "$1.git" &&
		echo '{"epochs": 10, "learning_rate": 0.1}' >params.json && python3 code/crm_export.py data/raw/customers.csv 400 &&
		git dvx stage add -q -n prepare -d code/prepare.py -d data/raw/customers.csv -o data/features.csv python3 code/prepare.py &&
		git dvx stage add -q -n train -d code/train.py -d data/features.csv -p params.json:epochs,learning_rate -o models/churn.json -M metrics.json python3 code/train.py &&
		churn_version "November" 1.0.0 && git dvx model promote churn_model 1.0.0 production >/dev/null &&
		python3 code/crm_export.py data/raw/customers.csv 500 --offers && churn_version "December" 2.0.0 &&
		git push -q -u origin main && git push -q --tags
}
