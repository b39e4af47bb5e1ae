#!/bin/sh
# Creates or updates the two databases of the Temporal server. Every step may run again.
set -eu
SQL_PASSWORD="$(cat /run/throughline/postgres-password)"
export SQL_PASSWORD

for database in temporal temporal_visibility; do
  [ "$database" = temporal ] && schema=temporal || schema=visibility
  sql() { temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user throughline --database "$database" "$@"; }
  sql create-database
  sql setup-schema --version 0.0
  sql update-schema --schema-dir "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done
