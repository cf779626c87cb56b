#!/usr/bin/env bash
# Builds the back ends of the observability stack from source, for machines where their container images cannot be pulled.
#
#   build.sh DIRECTORY [otelcol] [jaeger] [prometheus] [loki]
#
# Without names: otelcol, jaeger, prometheus. Leaves otelcol-contrib, jaeger, prometheus, promtool (and loki) in DIRECTORY.
# What is there already and up to date is not built again. Loki takes as long as all the others: tests ask for it by name.
# Needs Go >= 1.26.7 (GOTOOLCHAIN=go1.26.9 lets an older Go fetch
# one) and the Go module proxy.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ $# -lt 1 ]]; then
  echo "usage: ${0##*/} DIRECTORY [otelcol] [jaeger] [prometheus] [loki]" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[[ $# -gt 0 ]] || set -- otelcol jaeger prometheus

export CGO_ENABLED=0

# build MODULE LDFLAGS TAGS BINARIES [PACKAGES]
build() {
  local module=$1 ldflags=$2 tags=$3 binaries=$4 packages=${5:-.} stamp binary new=$out/.new-$1
  exec 9>"$out/.$module.lock"
  flock 9 # somebody else may be building it
  local args=(-mod=readonly -buildvcs=false -trimpath -tags "$tags" -ldflags "-s -w $ldflags")
  stamp=$({ go version && echo "${args[@]}" && cat "$here/$module/"*; } | sha256sum)
  # shellcheck disable=SC2086 # BINARIES is a list
  if [[ $(cat "$out/.$module.stamp" 2>/dev/null) == "$stamp" ]] && (cd "$out" && ls $binaries) >/dev/null 2>&1; then
    echo "$module: up to date"
    return
  fi
  echo "$module: building (minutes, when nothing is cached)"
  rm -rf "$new"
  mkdir "$new"
  SECONDS=0
  # shellcheck disable=SC2086 # PACKAGES is a list
  (cd "$here/$module" && go build "${args[@]}" -o "$new/" $packages)
  for binary in $binaries; do mv "$new/$binary" "$out/$binary"; done
  rm -rf "$new"
  echo "$stamp" >"$out/.$module.stamp"
  echo "$module: built in ${SECONDS}s"
}

for module; do
  case $module in
    otelcol) build otelcol "" "" otelcol-contrib ;;
    jaeger)
      build jaeger "-X github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0" "" jaeger \
        github.com/jaegertracing/jaeger/cmd/jaeger
      ;;
    prometheus)
      # remove_all_sd leaves out the cloud service discoveries, half of the build
      build prometheus "-X github.com/prometheus/common/version.Version=3.16.0" remove_all_sd,enable_dns_sd "prometheus promtool" \
        "github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool"
      ;;
    loki)
      build loki "-X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8" "" loki github.com/grafana/loki/v3/cmd/loki
      ;;
    *)
      echo "${0##*/}: nothing here is called '$module'" >&2
      exit 2
      ;;
  esac
done
