#!/bin/sh
# Hand one image in and announce it on Kafka, with curl, openssl and kcat: sh kcat.sh IMAGE
set -eu
image=$1
digest=$(sha256sum "$image" | cut -d' ' -f1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. The bytes, into the producer's own area.
curl --silent --show-error --fail --max-time 60 --request PUT --header "Authorization: Bearer $TOKEN" \
    --header "Content-Type: application/octet-stream" --data-binary "@$image" "$REGISTRY/v1/intake/$digest"

# 2. The event: the same image always has the same id, so sending it again changes nothing.
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
id=$(printf '%s/%s' "$PRODUCER" "$digest" | sha256sum | cut -d' ' -f1)
printf '%s' "$id" >"$work/id"
cat >"$work/value" <<END
{"specversion": "1.0", "id": "$id", "source": "/$PRODUCER", "type": "images.scraped.v1", "time": "$now",
 "datacontenttype": "application/json",
 "data": {"sighting": {"sighting_id": "$id", "image_id": "$digest", "producer": "$PRODUCER", "source_kind": "producer",
  "blob": "intake/$PRODUCER/$digest", "sha256": "$digest", "size_bytes": $(wc -c <"$image"), "media_type": "image/jpeg",
  "fetched_at": "$now"}}}
END

# 3. The signature: over id, key and value, each after its length in four bytes, big-endian.
framed() {
    size=$(wc -c <"$1")
    # shellcheck disable=SC2059  # the format is made of octal escapes
    printf "$(printf '\\%03o' $((size >> 24 & 255)) $((size >> 16 & 255)) $((size >> 8 & 255)) $((size & 255)))"
    cat "$1"
}
{ framed "$work/id"; framed "$work/id"; framed "$work/value"; } >"$work/signed"
openssl pkeyutl -sign -rawin -inkey "$KEY_FILE" -in "$work/signed" -out "$work/signature"

# 4. Onto the log, keyed by the sighting's id. A header of kcat is text, so the signature goes in base64.
kcat -P -b "$KAFKA" -t images.scraped -k "$id" -z "${CODEC:-gzip}" -X acks=all -X partitioner=murmur2_random \
    -H "content-type=application/cloudevents+json" -H "assent-signature=$(base64 -w0 <"$work/signature")" "$work/value"
