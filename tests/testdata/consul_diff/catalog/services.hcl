# Every kind of instance that one agent can hold.

# Addresses: own IPv4, own IPv6, the node's.
services {
  id      = "web-1"
  name    = "web"
  address = "10.1.0.1"
  port    = 8080
  tags    = ["primary", "v1.x", "Mixed-Case"]
  weights { passing = 10  warning = 2 }
}
services {
  id      = "web-2"
  name    = "web"
  address = "10.1.0.2"
  port    = 8081
  tags    = ["secondary", "v1.x"]
  weights { passing = 20  warning = 3 }
  check { name = "slow" ttl = "87600h" status = "warning" }
}
services {
  id      = "web-3"
  name    = "web"
  address = "10.1.0.3"
  port    = 8082
  tags    = ["secondary", "udp"]
  check { name = "down" ttl = "87600h" status = "critical" }
}
services {
  id   = "web-4"
  name = "web"
  port = 8083
  tags = ["onnode", "a.b.c"]
}
services {
  id      = "web-5"
  name    = "web"
  address = "2001:db8::15"
  port    = 8084
  tags    = ["six"]
}
services {
  name = "here"
  port = 9000
}
services {
  name    = "nodeaddr"
  address = "127.0.0.1"
  port    = 9001
}
services {
  name    = "four"
  address = "10.2.0.1"
  port    = 4
}
services {
  name    = "six"
  address = "2001:db8::6"
  port    = 6
}
services {
  name    = "mapped"
  address = "::ffff:10.2.0.9"
  port    = 46
}
services {
  name = "portless"
}

# Instances that share an address or a port.
services {
  id      = "shared-1"
  name    = "shared"
  address = "10.3.0.1"
  port    = 1001
}
services {
  id      = "shared-2"
  name    = "shared"
  address = "10.3.0.1"
  port    = 1002
}
services {
  id      = "shared-3"
  name    = "shared"
  address = "10.3.0.2"
  port    = 1001
}
services {
  id   = "shared-4"
  name = "shared"
  port = 1001
}
services {
  id   = "shared-5"
  name = "shared"
  port = 1003
}
# Consul takes these two for one and picks a weight.
services {
  id      = "twin-1"
  name    = "twin"
  address = "10.3.0.9"
  port    = 7
  weights { passing = 1  warning = 1 }
}
services {
  id      = "twin-2"
  name    = "twin"
  address = "10.3.0.9"
  port    = 7
  weights { passing = 2  warning = 1 }
}

# Health.
services {
  id   = "warn"
  name = "warn"
  port = 1
  weights { passing = 5  warning = 0 }
  check { name = "slow" ttl = "87600h" status = "warning" }
}
services {
  name = "dead"
  port = 1
  check { name = "down" ttl = "87600h" status = "critical" }
}
services {
  name    = "mostly"
  address = "10.4.0.1"
  port    = 1
  checks = [
    { name = "one" ttl = "87600h" status = "passing" },
    { name = "two" ttl = "87600h" status = "warning" }
  ]
}

# Names.
services {
  name    = "MiXed"
  address = "10.5.0.1"
  port    = 80
  tags    = ["UPPER", "lower"]
}
services {
  name    = "with-dash"
  address = "10.5.0.2"
  port    = 80
}
services {
  name    = "under_score"
  address = "10.5.0.3"
  port    = 80
  tags    = ["_tcp", "tcp"]
}
services {
  name    = "node"
  address = "10.5.0.4"
  port    = 80
  tags    = ["foo"]
}
services {
  name    = "dc1"
  address = "10.5.0.5"
  port    = 80
}
services {
  name    = "dotted.name"
  address = "10.5.0.6"
  port    = 80
}

# Mesh.
services {
  id    = "web-proxy-1"
  name  = "web-proxy"
  kind  = "connect-proxy"
  port  = 21000
  proxy { destination_service_name = "web" }
}
services {
  id      = "web-proxy-2"
  name    = "web-proxy"
  kind    = "connect-proxy"
  address = "10.6.0.2"
  port    = 21001
  tags    = ["primary"]
  proxy { destination_service_name = "web" }
}
services {
  id      = "native-1"
  name    = "native"
  address = "10.6.0.3"
  port    = 443
  connect { native = true }
}
services {
  id      = "native-2"
  name    = "native"
  address = "10.6.0.4"
  port    = 443
}
