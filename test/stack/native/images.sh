#!/usr/bin/env bash
# Makes images with the pinned names, so that the compose file itself can be brought up where no registry can be reached: the
# natively built collector, Jaeger and Prometheus in containers like the published ones (user, entry point, writable places),
# Loki where it is built, and Node with npm for the demo. Not Grafana.
#
#   images.sh BINARIES NODE     where the native builds are, and the node program to use; the names come from .env
set -euo pipefail
[[ $# -eq 2 ]] || { echo "usage: ${0##*/} BINARIES NODE" >&2; exit 2; }
bin=$(cd "$1" && pwd) node=$(readlink -f "$2")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC1091 # the settings of the compose file
source "$here/../../../.env"
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
certificates=/etc/ssl/certs/ca-certificates.crt

busybox=$(command -v busybox) || { apt-get update -qq && apt-get install -y -qq busybox-static; } >/dev/null 2>&1 && busybox=$(command -v busybox)
mkdir -p "$work"/root/{bin,etc,tmp} && chmod 1777 "$work/root/tmp" && cp "$busybox" "$work/root/bin/busybox"
for applet in $("$busybox" --list); do [[ $applet == busybox ]] || ln -sf busybox "$work/root/bin/$applet"; done
printf 'root:x:0:0:root:/:/bin/sh\nnode:x:1000:1000:node:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$work/root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\nnobody:x:65534:\n' >"$work/root/etc/group"
tar -C "$work/root" -c . | docker import - "$BUSYBOX_IMAGE" >/dev/null && echo "$BUSYBOX_IMAGE"

# Node as it is here, with the libraries that it is linked to, npm, and the certificates by which the registry is known
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
mkdir -p "$work/root/usr/local/"{bin,lib/node_modules} "$work/root/usr/bin" "$work/root/etc/ssl/certs"
cp "$node" "$work/root/usr/local/bin/node"
cp -r "$npm" "$work/root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
ln -s /bin/env "$work/root/usr/bin/env"
cp "$certificates" "$work/root$certificates"
libraries=$(ldd "$node" | grep -oE '/[^ ]+')
for library in $libraries "$(dirname "$(grep -m1 'libc\.so' <<<"$libraries")")/librt.so.1"; do
  mkdir -p "$work/root$(dirname "$library")" && cp -L "$library" "$work/root$library"
done
tar -C "$work/root" -c . | docker import \
  --change "ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=$certificates npm_config_cafile=$certificates" \
  --change 'CMD ["node"]' - "$NODE_IMAGE" >/dev/null && echo "$NODE_IMAGE"

image() { # NAME PROGRAM, the Dockerfile on standard input
  mkdir -p "$work/$2" && cat >"$work/$2/Dockerfile"
  cp "$bin/$2" "$certificates" "$work/$2/"
  docker build -q -t "$1" "$work/$2" >/dev/null && echo "$1"
}
image "$OTELCOL_IMAGE" otelcol-contrib <<'D'
FROM scratch
COPY otelcol-contrib /otelcol-contrib
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 10001:10001
ENTRYPOINT ["/otelcol-contrib"]
D
image "$JAEGER_IMAGE" jaeger <<D
FROM $BUSYBOX_IMAGE
COPY jaeger /cmd/jaeger/jaeger-linux
RUN chown 10001:10001 /tmp
VOLUME ["/tmp"]
USER 10001
ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]
D
if [[ -x $bin/loki ]]; then
  image "$LOKI_IMAGE" loki <<D
FROM $BUSYBOX_IMAGE
COPY loki /usr/bin/loki
RUN mkdir -p /loki && chown 10001:10001 /loki
USER 10001
ENTRYPOINT ["/usr/bin/loki"]
D
fi
mkdir "$work/prometheus" && cp "$bin/promtool" "$work/prometheus/"
image "$PROMETHEUS_IMAGE" prometheus <<D
FROM $BUSYBOX_IMAGE
COPY prometheus promtool /bin/
RUN mkdir -p /prometheus && chown 65534:65534 /prometheus
VOLUME ["/prometheus"]
USER nobody
ENTRYPOINT ["/bin/prometheus"]
D
