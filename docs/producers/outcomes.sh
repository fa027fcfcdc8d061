#!/bin/sh
# What became of everything that this producer handed in, from behind a sequence number on: sh outcomes.sh [AFTER]
set -eu
curl --silent --show-error --fail-with-body --max-time 60 --header "Authorization: Bearer $TOKEN" "$REGISTRY/v1/outcomes?after=${1:-0}"
