# IPv6. cache-1 has one family only; cache-2 is reachable over both: its main
# address is IPv4, and the tagged address lan_ipv6 is what AAAA answers with.
#   dig @127.0.0.1 -p 8600 cache.service.consul AAAA
#   dig @127.0.0.1 -p 8600 cache.service.consul A

services {
  id      = "cache-1"
  name    = "cache"
  address = "2001:db8::31"
  port    = 6379
}

services {
  id      = "cache-2"
  name    = "cache"
  address = "198.51.100.32"
  port    = 6379

  tagged_addresses {
    lan_ipv6 {
      address = "2001:db8::32"
      port    = 6379
    }
  }
}
