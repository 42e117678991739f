#!/bin/sh
# Does what the official image does: if there is no cluster, it creates one with POSTGRES_PASSWORD and POSTGRES_INITDB_ARGS,
# and runs the SQL files of /docker-entrypoint-initdb.d once, before clients can connect over TCP.
set -eu

make_cluster() {
    rm -rf "$PGDATA.partial"
    mkdir -p "$(dirname "$PGDATA")"
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
    # shellcheck disable=SC2086  # the arguments are words on purpose
    initdb -D "$PGDATA.partial" -U postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA.partial/pg_hba.conf"
    pg_ctl -D "$PGDATA.partial" --wait -o "-c listen_addresses= -c unix_socket_directories=$PGHOST" start
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -e "$file" ] || psql -X -v ON_ERROR_STOP=1 -U postgres -d postgres -f "$file"
    done
    pg_ctl -D "$PGDATA.partial" --wait -m fast stop
    mv "$PGDATA.partial" "$PGDATA"
}

if [ "$1" = postgres ]; then
    [ -s "$PGDATA/PG_VERSION" ] || make_cluster
    shift
    set -- postgres -c "listen_addresses=*" -c "unix_socket_directories=$PGHOST" "$@"
fi
exec "$@"
