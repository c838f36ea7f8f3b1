#!/bin/sh
# Becomes HAProxy with haproxy.cfg, for `npm start` and docker compose alike. Arguments go to HAProxy (-c only checks).
#
#   GATEWAYS       the gateways as name=address:port, separated by spaces (on this machine name=abns@socket, with
#                  LOCAL_SOCKET as the gateway has it), or instead:
#   GATEWAY_DNS    name:port that resolves to the addresses of all gateways
#                  Both with ,port where the health check is answered on that port (METRICS_PORT), as it should be
#   GATEWAY_SLOTS  how many there can be at most (32)
#   BIND           public addresses, comma-separated (0.0.0.0:8080)
#   STATS_BIND     address of the stats page and of /metrics (127.0.0.1:8404)
#   RATE_CONNECT   new transports per client address and period, such as 2000/10s (the default), or off
#   PING_INTERVAL_MS, PING_TIMEOUT_MS  as the gateways have them (12000, 10000)
#   EDGE_PROXIES   addresses and networks, separated by spaces, of proxies in front of HAProxy that are believed
#   RUN_AS_UID, RUN_AS_GID  whom HAProxy becomes if it is started as root
#   HAPROXY        the program (haproxy)
#   CONFIG_FILE    where the complete configuration is written (/tmp/parley-haproxy.cfg)
set -eu

fail() {
  echo "haproxy: $1" >&2
  exit 1
}

is_number() {
  case $1 in '' | *[!0-9]* | 0*) return 1 ;; esac
}

here=$(dirname "$0")
config=${CONFIG_FILE:-/tmp/parley-haproxy.cfg}
export BIND="${BIND:-0.0.0.0:8080}" STATS_BIND="${STATS_BIND:-127.0.0.1:8404}"
[ -n "${EDGE_PROXIES:-}" ] || unset EDGE_PROXIES
[ -n "${GATEWAY_DNS:-}" ] || unset GATEWAY_DNS

heartbeat=$((${PING_INTERVAL_MS:-12000} + ${PING_TIMEOUT_MS:-10000}))
IDLE_MS=$((heartbeat > 45000 ? heartbeat + 15000 : 60000))
TUNNEL_MS=$((IDLE_MS * 5))
export IDLE_MS TUNNEL_MS

rate=${RATE_CONNECT:-2000/10s}
if [ "$rate" = off ]; then
  unset CONNECT_LIMIT CONNECT_PERIOD_MS CONNECT_EXPIRE_MS
else
  example="RATE_CONNECT is '$rate', but should be like 2000/10s (count/period in ms, s, m or h), or off"
  CONNECT_LIMIT=${rate%%/*}
  period=${rate#*/}
  case $period in
    *ms) unit=1 amount=${period%ms} ;;
    *s) unit=1000 amount=${period%s} ;;
    *m) unit=60000 amount=${period%m} ;;
    *h) unit=3600000 amount=${period%h} ;;
    *) fail "$example" ;;
  esac
  is_number "$CONNECT_LIMIT" && is_number "$amount" || fail "$example"
  CONNECT_PERIOD_MS=$((amount * unit))
  # The rate of an address is made from the current period and the one before, so it is remembered for two.
  CONNECT_EXPIRE_MS=$((CONNECT_PERIOD_MS * 2))
  [ "$CONNECT_EXPIRE_MS" -lt 2000000000 ] || fail "$example; at most 11 days"
  export CONNECT_LIMIT CONNECT_PERIOD_MS CONNECT_EXPIRE_MS
fi

# address[,port] as the address of a server and where its health check goes.
address() {
  case $1 in
    abns@*,*) echo "${1%,*} addr 127.0.0.1 port ${1##*,}" ;;
    *,*) echo "${1%,*} port ${1##*,}" ;;
    *) echo "$1" ;;
  esac
}

servers() {
  if [ -n "${GATEWAY_DNS:-}" ]; then
    found="resolvers names resolve-prefer ipv4 init-addr none"
    echo "  server-template gateway 1-${GATEWAY_SLOTS:-32} $(address "$GATEWAY_DNS") $found"
  else
    for gateway in ${GATEWAYS:-}; do
      echo "  server ${gateway%%=*} $(address "${gateway#*=}")"
    done
  fi
}

servers=$(servers)
[ -n "$servers" ] || fail 'neither GATEWAYS nor GATEWAY_DNS is set'
{
  cat "$here/haproxy.cfg"
  echo "$servers"
} >"$config"

# A connection takes two descriptors. As much as allowed: a new hard limit for root, else the present one.
ulimit -n 1000000 2>/dev/null || ulimit -n "$(ulimit -H -n)" 2>/dev/null || true

exec "${HAPROXY:-haproxy}" -f "$config" "$@"
