#!/bin/sh
# Replaces the gateways that run by new ones, of the image and the settings that are current now, one after another:
# first a new one is there and healthy, then an old one drains. `docker compose up` would end all of them at once.
# Arguments go to `docker compose`, as in: deploy/docker/rolling-update.sh -p parley
set -eu

old=$(docker compose "$@" ps -q gateway)
count=$(echo "$old" | grep -c .) || {
  echo 'No gateway is running.' >&2
  exit 1
}

for container in $old; do
  docker compose "$@" up -d --wait --no-recreate --scale "gateway=$((count + 1))" gateway
  docker stop "$container"
  docker rm "$container"
done
