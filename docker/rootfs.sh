#!/bin/sh
# rootfs.sh BINARY DIRECTORY: makes DIRECTORY a root for the image that has what
# dnsd needs and nothing else: the binary, its libraries, the authorities'
# certificates, a user. No shell, no package manager, nothing that is set-uid.
#
# Scanners of images find the Debian packages the files are from in
# var/lib/dpkg/status.d, and people their licences in usr/share/doc.
set -eu
binary=$1
root=$2
id=8600

mkdir -p "$root/usr/bin" "$root/usr/lib/ssl" "$root/usr/lib64" \
  "$root/etc/ssl/certs" "$root/etc/dnsd.d" "$root/usr/share/doc/dnsd" \
  "$root/var/lib/dpkg/status.d"
ln -s usr/bin "$root/bin"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

# What is removed names functions and lines; symbols of the dynamic kind stay.
strip --strip-unneeded -o "$root/usr/bin/dnsd" "$binary"
chmod 755 "$root/usr/bin/dnsd"

# "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)", and the loader, which
# has no arrow.
libraries=$(ldd "$binary" |
  awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
for library in $libraries; do
  [ -f "$library" ] || {
    echo "rootfs: no library $library" >&2
    exit 1
  }
  mkdir -p "$root/usr$(dirname "${library#/usr}")"
  cp -L "$library" "$root/usr${library#/usr}"
done

# Where libcurl and where OpenSSL look for it.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"

echo "root:x:0:0:root:/:/nonexistent
dnsd:x:$id:$id:dnsd:/var/lib/dnsd:/nonexistent" >"$root/etc/passwd"
echo "root:x:0:
dnsd:x:$id:" >"$root/etc/group"
# Without it names are asked by DNS before /etc/hosts is read.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
cp /etc/os-release "$root/etc/os-release"

# dpkg knows a file of /usr/lib by either name.
for library in $libraries; do
  dpkg-query -S "$(readlink -f "$library")" 2>/dev/null ||
    dpkg-query -S "$library" 2>/dev/null ||
    dpkg-query -S "/usr${library#/usr}" 2>/dev/null ||
    dpkg-query -S "$(readlink -f "$library" | sed 's,^/usr,,')"
done | sed 's/: .*//' | sort -u >"$root.packages"
echo ca-certificates >>"$root.packages"
while read -r package; do
  name=${package%%:*}
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$name"
  mkdir -p "$root/usr/share/doc/$name"
  cp -L "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/"
done <"$root.packages"
rm "$root.packages"
