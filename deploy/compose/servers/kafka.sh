#!/bin/bash
# Does what the official image does: KAFKA_SOME_NAME becomes the property some.name; new storage is formatted with
# CLUSTER_ID, or with the image's own id.
set -euo pipefail

properties=/tmp/server.properties
java=(/opt/java/bin/java -cp '/opt/kafka/libs/*')

: >"$properties"
for variable in $(compgen -e | grep '^KAFKA_' | grep -v -e '^KAFKA_HEAP_OPTS$'); do
    name=${variable#KAFKA_}
    name=${name,,}
    echo "${name//_/.}=${!variable}" >>"$properties"
done

"${java[@]}" kafka.tools.StorageTool format --ignore-formatted --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$properties"

# shellcheck disable=SC2086  # several options in one variable, as Kafka's own scripts have it
exec "${java[@]}" ${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m} -XX:+ExitOnOutOfMemoryError \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
    kafka.Kafka "$properties"
