#!/bin/sh
# Installs Debian or Ubuntu packages of servers, as root, for their programs alone: npm start runs its own servers in its
# own data directory. So no service of the system starts, now or at the next boot, and no database cluster is
# created. What has to be changed for that in /etc and /usr/sbin is put back at the end.
#
# usage: install-debian.sh postgresql redis-server haproxy
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
ours='create_main_cluster = false # for this installation only'
made_policy=false
had_clusters=false
if [ -e "$clusters" ]; then had_clusters=true; fi

put_back() {
  if $made_policy; then rm -f "$policy"; fi
  if $had_clusters; then
    sed -i "/^$ours\$/d" "$clusters"
  elif [ -e "$clusters.ucf-dist" ]; then
    # The package found our file in its place and put its own one beside it.
    mv "$clusters.ucf-dist" "$clusters"
  else
    rm -f "$clusters"
  fi
}
trap put_back EXIT
trap 'exit 130' INT TERM HUP

# Asked by every package before it starts a service; 101 means no.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  made_policy=true
fi
mkdir -p "$(dirname "$clusters")"
echo "$ours" >>"$clusters"

new_services=
for package in "$@"; do
  case $package in
    redis-server | haproxy) [ -e "/var/lib/dpkg/info/$package.list" ] || new_services="$new_services $package" ;;
  esac
done

apt-get update
apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@"

if [ -n "$new_services" ] && command -v systemctl >/dev/null; then
  # shellcheck disable=SC2086
  systemctl disable $new_services || true
fi
