# HAProxy with the configuration that `npm start` uses too.
#
#   docker build -f deploy/docker/haproxy.Dockerfile -t parley-haproxy .
FROM haproxy:3.0-alpine

COPY deploy/haproxy/haproxy.cfg deploy/haproxy/start.sh /usr/local/etc/haproxy/

USER haproxy
EXPOSE 8080
# The base image asks for a soft stop, which would leave the port closed for as long as WebSockets are open. Clients that
# are cut off come back as soon as the next HAProxy listens.
STOPSIGNAL SIGTERM
ENTRYPOINT ["sh", "/usr/local/etc/haproxy/start.sh", "-W", "-db"]
