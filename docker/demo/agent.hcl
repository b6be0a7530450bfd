# The agent itself. The whole directory is valid for Consul, too:
# `consul agent -dev -config-dir docker/demo` reads the same files.

# This machine's name and place: demo.node.dc1.consul answers with
# advertise_addr. All addresses of the demo are documentation addresses
# (RFC 5737, RFC 3849): nothing listens there.
node_name      = "demo"
datacenter     = "dc1"
advertise_addr = "192.0.2.1"

# Pairs of node_meta are the TXT records of the node:
#   dig @127.0.0.1 -p 8600 demo.node.consul TXT
node_meta {
  rack = "r1"
  role = "demo"
}

dns_config {
  # How long clients may keep an answer. Zero, the default, means: ask again
  # each time. A name beats a prefix ("post*"), which beats "*".
  node_ttl = "30s"

  service_ttl {
    "*"        = "5s"
    "postgres" = "10s"
  }
}
