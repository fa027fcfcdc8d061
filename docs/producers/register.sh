#!/bin/sh
# The operator's part, once: a key pair, the producer's name with its public key, and a token: sh register.sh
set -eu
openssl genpkey -algorithm ed25519 -out "$PRODUCER.key"
openssl pkey -in "$PRODUCER.key" -pubout -out "$PRODUCER.pub"
assent producer register "$PRODUCER" --public-key-file "$PRODUCER.pub" --url "$REGISTRY"
assent token --name "$PRODUCER" --org "$PRODUCER" --role producer --producer "$PRODUCER" --hours 720 --url "$REGISTRY" >"$PRODUCER.token"
